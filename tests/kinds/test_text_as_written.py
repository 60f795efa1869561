"""Free text parsed as syntax: what people wrote comes out as it went in."""

import csv
import io
import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from PIL import Image
from rich.console import Console

from analysis.pages import page
from analysis.pages.exports import latex, markdown
from analysis.plots.pareto import draw_pareto
from analysis.plots.style import drawing, save
from analysis.runs.networks import by_network
from analysis.summary import as_csv
from res2net.__main__ import main as describe
from search import load_space
from search.images.preparing import make_ready
from search.images.tree import Tree, read_tree
from search.schema.yaml import ConfigError, read_text
from tests.analysis.made import made, seeded
from tests.search.spaces import resolved_of, write
from tests.search.test_progress import Terminal

ODD = [
    "golden", "golden retriever", "#1 dad", "n01440764", "a, b", "# not a comment", "$a$ [b]",
    "line\u2028break", "next\x85line", " spaced ", "tab\tbed", "it's \"quoted\"",
]  # fmt: skip
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Zs"]) | st.just(" "),
    max_size=20,
).map(lambda text: " ".join(text.split()))  # in a table's cell a line break is a space
MARKS = st.text(alphabet="\\`*_{}[]()<>|#~&$@^:-+=.!'\"1ab /;\u00e9", max_size=16).map(
    lambda text: " ".join(text.split())
)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few images are decoded by this process."""
    monkeypatch.setattr("search.images.preparing.usable_cores", lambda: 1)


def place(key: str) -> str:
    return f"data.{key}"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class for each odd name; all files are empty."""
    root = tmp_path_factory.mktemp("odd")
    for name in ODD:
        for split in ("train", "val"):
            (root / split / name).mkdir(parents=True)
            (root / split / name / "x.png").touch()
    return root


def chosen(root: Path, classes: Any) -> Tree:
    return read_tree(root, classes=classes, images_per_class=None, place=place)


@pytest.mark.parametrize("name", ODD)
def test_a_line_of_a_class_list_is_the_name(name: str, tree: Path, tmp_path: Path) -> None:
    """The example: `golden retriever` was read as `golden`."""
    path = tmp_path / "list.txt"
    path.write_text(f"# a comment\n\n{name}\nn01440764 tench\n", encoding="utf-8")
    if name == "n01440764":
        path.write_text(f"{name} tench, Tinca tinca\n", encoding="utf-8")
    assert set(chosen(tree, str(path)).classes) == {name, "n01440764"}
    assert set(chosen(tree, tuple({name, "golden"})).classes) == {name, "golden"}


def test_a_name_without_a_folder_is_never_cut_to_one_that_has(
    tree: Path, tmp_path: Path
) -> None:
    path = tmp_path / "list.txt"
    path.write_text("golden eagle\nn01440764\n")
    with pytest.raises(ConfigError, match=r"list\.txt:1 'golden eagle'"):
        chosen(tree, str(path))


def shown(parsed: Any) -> str:
    """The text that a reader of Markdown sees."""
    said = ""
    for token in parsed.children or ():
        said += {"text": token.content, "softbreak": " "}.get(token.type, f"<{token.type}>")
    return said


@given(st.lists(TEXTS | MARKS, min_size=2, max_size=4))
@example(["&lt;b&gt; AT&amp;T", "a|b", "`x`", "1. [x](y) ![z](w)"])
@example(["http://x.y", "*a* _b_ ~~c~~", r"\|", "<br>"])
@example(["- x", "+ y", "# z", "1) q"])
def test_markdown_shows_every_cell_as_it_is(texts: list[str]) -> None:
    caption, *cells = texts
    table = page.Table(
        name="t",
        caption=caption or "none",
        titles=tuple(f"c{i}" for i in range(len(cells))),
        rows=(tuple(cells),),
        words=(0,),
    )
    reader = MarkdownIt("gfm-like", {"linkify": False})
    inline = [token for token in reader.parse(markdown(table)) if token.type == "inline"]
    assert [shown(token) for token in inline] == [table.caption, *table.titles, *cells]


def test_github_s_own_marks_are_escaped_too() -> None:
    table = page.Table(
        name="t", caption="c", titles=("a",), rows=(("$x$ :tada: @me",),), words=()
    )
    assert r"| \$x\$ \:tada: \@me |" in markdown(table)


LATEX = {
    "a & b_c": r"a \& b\_c",
    "50 % of $x$": r"50 \% of \$x\$",
    r"C:\new{#1}": r"C:\textbackslash{}new\{\#1\}",
    "<b> | ~^": r"\textless{}b\textgreater{} \textbar{} \textasciitilde{}\textasciicircum{}",
    "[x] * y": "{[}x{]} {*} y",  # at the start of a row it would belong to the \\ before it
    "95--99 --- x": "95-{}-99 -{}-{}- x",  # dashes would grow together
    'it\'s "so" `x`': r"it\textquotesingle{}s \textquotedbl{}so\textquotedbl{} "
    r"\textasciigrave{}x\textasciigrave{}",
    "two\n\nparagraphs": "two paragraphs",
    "?`!`": r"?{}\textasciigrave{}!{}\textasciigrave{}",
}


@pytest.mark.parametrize("text", LATEX)
def test_latex_shows_every_cell_as_it_is(text: str) -> None:
    table = page.Table(name="t", caption=text, titles=(text,), rows=((text,),), words=(0,))
    written, wanted = latex(table), LATEX[text]
    assert f"\\caption{{{wanted}}}" in written
    assert written.count(f"\n{wanted} \\\\\n") == 2  # the title, and the cell


ANY = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(st.lists(ANY, min_size=1, max_size=4))
@example(["a\rb", '=HYPERLINK("x")', 'say "so", then', "two\nlines"])
@example(["\r", "\r\n", " x ", "+1", "@a"])
def test_csv_holds_every_text_as_it_is(texts: list[str]) -> None:
    """Formulas too: this is data, and a reader wants what was written."""
    frame = pd.DataFrame({"trial": range(len(texts)), "reason": texts})
    rows = list(csv.reader(io.StringIO(as_csv(frame), newline="")))
    assert [row[1] for row in rows[1:]] == texts
    back = pd.read_csv(io.StringIO(as_csv(frame), newline=""), keep_default_na=False, dtype=str)
    assert back["reason"].tolist() == texts


class SvgTexts(HTMLParser):
    """The texts of a drawing, and its ids."""

    def __init__(self, svg: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.ids: list[str] = []
        self._inside = False
        self.feed(svg)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag == "text"
        self.ids += [value or "" for key, value in attrs if key == "id"]

    def handle_data(self, data: str) -> None:
        if self._inside and data.strip():
            self.texts.append(data)


TITLES = [
    "costs $5, then $9", "$\\frac{x}$", 'url(#a) id="b" href="#c"', "a < b & c > d", "_x_^2",
    "50 % \\alpha",
]  # fmt: skip


@pytest.mark.parametrize("title", TITLES)
def test_titles_are_no_mathematics_and_no_markup(title: str, tmp_path: Path) -> None:
    with drawing() as (figure, (ax,)):
        ax.set_title(title)
        ax.set_xlabel(title)
    svg = save(figure, tmp_path / "figure")[1].read_text(encoding="utf-8")
    assert SvgTexts(svg).texts.count(title) == 2
    none = page.Table(name="t", caption="", titles=(), rows=(), words=())
    on_page = SvgTexts(page.figure(figure, alt=title, caption="", table=none).svg)
    assert on_page.texts.count(title) == 2
    assert all(name.startswith("t-") for name in on_page.ids)


def test_a_skeleton_of_any_name_is_in_the_legend(tmp_path: Path) -> None:
    """Matplotlib leaves out what begins with an underscore."""
    run = made(tmp_path / "run", seeded())
    points = by_network(run)
    names = ["_mine.py:STACK", "a$b$c.py:STACK", "cifar"]
    points["skeleton"] = [names[i % 3] for i in range(len(points))]
    figure = draw_pareto(points, run.compared, title="x")
    svg = save(figure, tmp_path / "figure")[1].read_text(encoding="utf-8")
    said = [text.strip("\u200b") for text in SvgTexts(svg).texts]
    assert set(names) <= set(said)


def test_a_notebook_shows_the_name_of_a_data_set_as_it_is(tmp_path: Path) -> None:
    run = made(tmp_path / "run", seeded())
    name = "my_parts/*x*.py:_SET_"
    data = run.plan.data.model_copy(update={"name": name})
    plan = run.plan.model_copy(update={"data": data})
    named = replace(run, manifest=run.manifest._replace(plan=plan))
    inline = [token for token in MarkdownIt().parse(named.described()) if token.children]
    assert f"on {name}: " in shown(inline[0])
    assert f"on {name}: " in named.described(short=True)


def test_a_block_s_file_may_have_brackets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """To rich `[bold]` is not shown."""
    monkeypatch.chdir(tmp_path)  # a longer path would be wrapped
    path = tmp_path / "[bold]" / "mine.py"
    path.parent.mkdir()
    path.write_text("from res2net.blocks import res2net as BLOCK\n")
    assert describe(["Res2Net-50", "--block", "[bold]/mine.py:BLOCK"]) == 0
    assert "[bold]/mine.py:BLOCK" in capsys.readouterr().out


def test_no_name_is_cut_in_a_narrow_window(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "res2next101_1.2.4.8c26.28.30.32w1.2.4.8s_se_v1b_48p"
    monkeypatch.setenv("COLUMNS", "20")
    assert describe([name]) == 0
    assert name in capsys.readouterr().out


def test_a_folder_with_brackets_is_shown_while_it_is_decoded(tmp_path: Path) -> None:
    """To rich `[/b]` closes what was never opened, and `[bold]` is not shown."""
    root = tmp_path / "[" / "b] [bold]"
    for split in ("train", "val"):
        for name in ("a", "b"):
            (root / split / name).mkdir(parents=True)
            for number in range(3):
                pixels = np.full((20, 20, 3), 40 * number, np.uint8)
                Image.fromarray(pixels).save(root / split / name / f"{number}.png")
    text = json.dumps({
        "study": "x", "network": {"planes": 2, "depth": 11, "width": 2, "scale": [1]},
        "data": {"name": "imagefolder", "root": str(root), "resolution": 16, "validation": 2},
        "training": {"epochs": 1, "batch_size": 2, "lr": 0.1},
        "search": {"sampler": "grid"},
    })  # fmt: skip
    plan = resolved_of(tmp_path, text).plan
    seen = Terminal()
    console = Console(file=seen, width=250, markup=False, force_terminal=True)
    make_ready(plan.data, load_space(write(tmp_path, text)).document, console)
    assert f"decoding {root}/train at 18 px" in seen.getvalue()


NAMES = st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=12)


@given(NAMES)
@example("next\x85line")
@example("no")
@example("1e3")
@example("caf\udce9")
@example("a: b # c")
@example(" x\n")
@example("012")
@example("x" * 79 + "  " + "y" * 30)
@example(f"/mnt/a very long path of images/{'of many words ' * 5}caf\udce9/images")
def test_a_space_of_a_mapping_says_what_the_mapping_does(name: str) -> None:
    space = load_space(mapping(name))
    assert space.file.data.classes == (name, "other")
    assert space.file.data.root == name
    again = read_text(space.document.text, Path("space.yaml"))  # as it is kept beside results
    assert again.data["data"]["root"] == name


def mapping(name: str) -> dict[str, Any]:
    return {
        "study": "x",
        "network": {"planes": 2, "depth": 11, "width": 2, "scale": [1]},
        "data": {"name": "imagefolder", "root": name, "classes": [name, "other"],
                 "resolution": 16, "validation": 2},
        "training": {"epochs": 1, "batch_size": 2, "lr": 0.1},
        "search": {"sampler": "grid"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("/photos/my #1 set", "/photos/my #1 set"),
        ("  /photos/x ", "/photos/x"),
        ("'/photos/ #1'", "/photos/ #1"),
        ('"a\\tb"', "a\tb"),
        ("it's", "it's"),
    ],
)
def test_set_takes_a_name_to_its_end(written: str, read: str) -> None:
    assert load_space(mapping("x"), [f"data.root={written}"]).file.data.root == read
    assert load_space(mapping("x"), ["data.damaged=7 # more"]).file.data.damaged == 7
