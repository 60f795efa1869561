"""Text taken for ASCII or UTF-8: names of data sets and files come through, whatever bytes."""

import csv
import io
import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

from analysis.inside import cam
from analysis.pages import page
from analysis.pages.run_page import run_page
from analysis.plots.style import drawing, save
from analysis.runs.run import read_run
from analysis.summary import as_csv, summarise
from res2net import Architecture, build
from res2net.blocks import plugin_token
from res2net.file_names import path_of, printable, text_of
from res2net.plugins import load_plugin
from res2net.weights.checkpoints import read_checkpoint
from search import load_space, run_study
from search.images.tree import Tree, read_tree
from search.schema.files import replace_text
from search.schema.yaml import ConfigError
from search.study import manifest
from search.study.events import Status
from tests.analysis.made import made, parsed, seeded
from tests.search.spaces import resolved_of

CAFE, DOG = "caf\udce9", "dög"  # Latin-1 on the disk, and UTF-8
IMAGE = "b\udcff"
SPACE: dict[str, Any] = {
    "study": "names",
    "network": {"planes": 2, "depth": 11, "width": 2, "scale": [1]},
    "data": {"name": "imagefolder", "resolution": 16, "validation": 4, "damaged": 3},
    "training": {"epochs": 1, "batch_size": 4, "lr": 0.1, "precision": "fp32"},
    "search": {"sampler": "grid", "seed": 0},
}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing drawn where nobody looks; a few images are decoded by this process."""
    monkeypatch.setattr("search.api.draw_summary", lambda *_, **__: 0)
    monkeypatch.setattr("search.images.preparing.usable_cores", lambda: 1)


def planted(root: Path, classes: tuple[str, ...] = (CAFE, DOG), suffix: str = ".png") -> Path:
    """Four train and two test images of each class, their names no UTF-8."""
    rng = np.random.default_rng(0)
    for name in classes:
        for split, count in (("train", 4), ("val", 2)):
            (root / split / name).mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)
                path = root / split / name / f"{IMAGE}{number}{suffix}"
                Image.fromarray(pixels).save(path)
    return root


def place(key: str) -> str:
    return f"data.{key}"


def read(root: Path, **chosen: Any) -> Tree:
    return read_tree(
        root, **{"classes": None, "images_per_class": None, "place": place} | chosen
    )


def test_a_study_of_names_that_are_no_utf8(tmp_path: Path) -> None:
    """The example, and what becomes of such names: manifest, weights, tables, report."""
    root = planted(tmp_path / "s\udce4t")
    (root / "train" / CAFE / f"{IMAGE}zz.png").write_bytes(b"no image")
    (root / "train" / CAFE / "x.t\udcfet").touch()
    space = SPACE | {"data": SPACE["data"] | {"root": str(root)}}
    result = run_study(space, out=tmp_path / "run", inline=True)
    assert [trial.ended.status for trial in result.trials if trial.ended] == [Status.OK]
    noted = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert noted["plan"]["data"]["class_names"] == sorted(os.listdir(root / "train"))  # noqa: PTH208
    assert noted["left_out"] == [f"train/{CAFE}/{IMAGE}zz.png: is not an image"]
    about = json.loads(result.weights[0].with_suffix(".json").read_text(encoding="utf-8"))
    assert about["classes"] == [CAFE, DOG]
    assert run_study(space, out=tmp_path / "run", inline=True).finished
    summarise(tmp_path / "run")
    text = page.render(run_page(read_run(tmp_path / "run")))
    replace_text(tmp_path / "report.html", text)
    written = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert r"train/caf\xe9/b\xffzz.png: is not an image" in written
    assert r"not an image by its name (.t\xfet)" in written


def test_images_are_drawn_from_classes_of_any_name(tmp_path: Path) -> None:
    tree = read(planted(tmp_path), images_per_class=2)
    assert tree.classes == (CAFE, DOG)
    assert len(tree.train.names) == 4
    for index in range(4):
        assert tree.train.path(index).is_file()


def test_the_digest_is_of_the_bytes_and_of_all_names(tmp_path: Path) -> None:
    text = json.dumps(SPACE | {"data": SPACE["data"] | {"root": str(planted(tmp_path / "a"))}})
    one = resolved_of(tmp_path, text).plan.data.digest
    (tmp_path / "a" / "train" / CAFE / f"{IMAGE}0.png").rename(
        tmp_path / "a" / "train" / CAFE / "b\udcfe0.png"
    )
    assert one != resolved_of(tmp_path, text).plan.data.digest


LISTS = {
    "UTF-8": (DOG, f"{DOG}\ncafé\n".encode()),
    "UTF-8 with its mark": (DOG, f"\ufeff{DOG}\r\ncafé\r\n".encode()),
    "UTF-16, as Windows writes it": (DOG, f"{DOG}\r\ncafé\r\n".encode("utf-16")),
    "UTF-32": (DOG, f"{DOG}\ncafé".encode("utf-32")),
    "Latin-1 of folders in UTF-8": (DOG, f"{DOG}\ncafé\n".encode("latin-1")),
    "the bytes of folders in Latin-1": ("d\udcf6g", f"{DOG}\ncafé\n".encode("latin-1")),
    "accents of their own": (unicodedata.normalize("NFD", DOG), f"{DOG}\ncafé".encode()),
    "an old Macintosh's lines": (DOG, f"{DOG}\rcafé\r".encode()),
}


@pytest.mark.parametrize("kind", LISTS)
def test_lists_in_any_encoding_name_the_folders(kind: str, tmp_path: Path) -> None:
    dog, content = LISTS[kind]
    cafe = CAFE if dog == "d\udcf6g" else "café"
    root = planted(tmp_path / "set", (cafe, dog, "other"))
    (tmp_path / "list.txt").write_bytes(content)
    tree = read(root, classes=str(tmp_path / "list.txt"))
    assert set(tree.classes) == {cafe, dog}


def test_names_in_a_space_may_be_composed_otherwise(tmp_path: Path) -> None:
    root = planted(tmp_path, (unicodedata.normalize("NFD", DOG), "other"))
    assert read(root, classes=(DOG, "other")).classes[0] == unicodedata.normalize("NFD", DOG)


def test_a_list_that_is_no_text_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"other\n\xff\xfa\n")
    with pytest.raises(ConfigError, match=r"list.txt cannot be read \(not UTF-8 text\); give"):
        read(planted(tmp_path / "set"), classes=str(tmp_path / "list.txt"))


def test_a_locale_of_ascii_changes_nothing(tmp_path: Path) -> None:
    """The same plan, to the digest, and from a class list and a root with accents."""
    root = planted(tmp_path / "Käfer", (CAFE, DOG, "日本"))
    (tmp_path / "Liste.txt").write_text(f"日本\n{DOG}\n", encoding="utf-8")
    data = SPACE["data"] | {"root": str(root), "classes": str(tmp_path / "Liste.txt")}
    space = tmp_path / "space.yaml"
    space.write_text(json.dumps(SPACE | {"data": data}, ensure_ascii=False), encoding="utf-8")
    plan = resolved_of(tmp_path, space.read_text(encoding="utf-8")).plan
    script = (
        "import sys; from pathlib import Path; from search.api import load_space;"
        "from search.space.resolve import resolve;"
        "data = resolve(*load_space(Path(sys.argv[1]), sys.argv[2:])).plan.data;"
        "assert sys.getfilesystemencoding() == 'ascii';"
        "print(ascii((data.digest, data.class_names, data.root)))"
    )
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", script, space, f"data.root={root}"],
        env=os.environ | environment, capture_output=True, text=True, check=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.stdout.strip() == ascii((plan.data.digest, plan.data.class_names, str(root)))


@given(st.binary(min_size=1, max_size=12))
def test_every_name_comes_back_and_every_reader_takes_it(name: bytes) -> None:
    text = text_of(os.fsdecode(name))
    assert os.fsencode(path_of(f"/{text}")) == os.fsencode(Path(f"/{os.fsdecode(name)}"))
    shown = printable(text)
    assert shown.encode().decode() == shown
    try:
        assert shown == name.decode()
    except UnicodeDecodeError:
        assert "\\x" in shown


def test_set_takes_names_of_any_bytes(tmp_path: Path) -> None:
    root = planted(tmp_path / "s\udce4t")
    space = SPACE | {"data": SPACE["data"] | {"root": "elsewhere"}}
    given = load_space(space, [f"data.root={root}", f"data.classes=[{CAFE}, {DOG}]"])
    assert given.file.data.root == str(root)
    assert given.file.data.classes == (CAFE, DOG)


def test_a_reason_with_such_a_name_is_in_every_table(tmp_path: Path) -> None:
    failed = {"status": Status.FAILED, "reason": f"OSError: {IMAGE}.png", "val_error": 1.0}
    trials = [trial | (failed if not i else {}) for i, trial in enumerate(seeded())]
    run = made(tmp_path / "run", trials)
    assert run.trials["reason"][0] == r"OSError: b\xff.png"
    rows = list(csv.DictReader(io.StringIO(as_csv(run.trials))))
    assert rows[0]["reason"] == r"OSError: b\xff.png"
    assert parsed(run_page, run).tables["failed"][1][1] == r"OSError: b\xff.png"


def test_starts_by_such_a_command_are_listed(tmp_path: Path) -> None:
    run = made(tmp_path / "run", seeded())
    manifest.note(run.folder, run.plan, space="", command=["search.run", f"/data/{CAFE}"])
    rows = parsed(run_page, read_run(run.folder)).tables["starts"]
    assert any(r"/data/caf\xe9" in cell for cell in rows[-1])


def test_parts_from_files_of_any_name(tmp_path: Path) -> None:
    for name in ("p\udce4rt.py", "größe.py", "a:b.py", "two words.py"):
        (tmp_path / name).write_text("GRÖSSE = 3\n", encoding="utf-8")
        text = f"{tmp_path / name}:GRÖSSE"
        assert load_plugin(text).value == 3
        plugin_token(text).encode()  # it becomes part of the names of files


def test_pictures_of_such_names_are_titled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    architecture = Architecture(depth=11, planes=2, width=2, classes=2, skeleton="cifar")
    torch.save(build(architecture).state_dict(), tmp_path / "w.pth")
    about = {"classes": [CAFE, "$a$ or $b$"], "mean": [0.5] * 3, "std": [0.5] * 3}
    (tmp_path / "w.json").write_text(json.dumps(about))
    path = tmp_path / f"{IMAGE} $x$.png"
    Image.new("RGB", (16, 16), "red").save(path)
    drawn: list[Figure] = []
    draw = cam.draw_panels

    def keeping(*panels: Any, **named: Any) -> Figure:
        drawn.append(draw(*panels, **named))
        return drawn[-1]

    monkeypatch.setattr(cam, "draw_panels", keeping)
    for target in ("0", "1"):
        asked = [architecture.name, "--weights", str(tmp_path / "w.pth"), str(path)]
        assert cam.main([*asked, "--class", target, "--out", str(tmp_path / "c.png")]) == 0
    assert drawn[0].axes[0].get_title() == r"b\xff $x$.png"
    assert r"class caf\xe9," in drawn[0].axes[1].get_title()
    assert "class $a$ or $b$," in drawn[1].axes[1].get_title()
    assert not any(ax.title.get_parse_math() for ax in drawn[1].axes)


def test_weights_lie_where_they_may(tmp_path: Path) -> None:
    tensors = {"fc.bias": torch.ones(2)}
    for name, content in (
        ("w\udcff.safetensors", safetensors.torch.save(tensors)),
        ("w\udcff.pth", pickled(tensors)),
    ):
        (tmp_path / name).write_bytes(content)
        read: Any = read_checkpoint(tmp_path / name)
        assert torch.equal(read["fc.bias"], torch.ones(2))


def pickled(tensors: dict[str, torch.Tensor]) -> bytes:
    file = io.BytesIO()
    torch.save(tensors, file)
    return file.getvalue()


def test_a_figure_and_a_text_of_such_a_title_are_written(tmp_path: Path) -> None:
    replace_text(tmp_path / "x.txt", f"{CAFE} {DOG}")
    assert (tmp_path / "x.txt").read_text(encoding="utf-8") == rf"caf\xe9 {DOG}"
    with drawing() as (figure, (ax,)):
        ax.set_title(printable(CAFE))
    assert all(path.stat().st_size for path in save(figure, tmp_path / "figure"))
