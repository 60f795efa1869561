"""A page asks nothing of a network, runs no script but its own, and can be used."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from markupsafe import Markup

from analysis.cards.card import Column
from analysis.cards.deck import OF_A_RUN
from analysis.pages.page import Figure, render, side_by_side, table
from analysis.pages.run_page import run_page
from analysis.report import main
from analysis.runs.run import Run
from search.study.events import Status
from tests.analysis.browser import browsing
from tests.analysis.made import AXES, ERRORS, OVERRIDES, Parsed, made, network, seeded, undrawn

SPACE_OF_MANY = """\
study: many
network:
  planes: 2
  depth: 11
  cardinality: {from: 1, to: 25}
  scale: [1, 2, 3, 4]
  width: {from: 1, to: 100}
data: {name: synthetic, validation: 64}
training: {epochs: 1, batch_size: 32, lr: 0.1, precision: fp32}
search: {sampler: random, trials: 10000, seed: 0}
"""
SORT = """
const table = document.getElementById("every-trial");
const cells = (title) => {
  const titles = [...table.tHead.rows[0].cells];
  const place = titles.findIndex((one) => one.textContent.includes(title));
  return [place, [...table.tBodies[0].rows].map((row) => row.cells[place].textContent)];
};
const [place] = cells(arguments[0]);
const title = table.tHead.rows[0].cells[place];
const seen = [];
for (const _ of [1, 2]) {
  title.querySelector("button").click();
  seen.push([title.getAttribute("aria-sort"), cells(arguments[0])[1]]);
}
return seen;
"""
FILTER = """
const box = document.getElementById("every-trial-filter");
box.value = arguments[0];
box.dispatchEvent(new Event("input"));
const rows = [...document.getElementById("every-trial").tBodies[0].rows];
return [rows.map((row) => row.cells[1].textContent),
        document.querySelector("#every-trial-tools output").textContent];
"""
# Drawings that leave what scrolls them; of those that scroll whether a shadow says so; and how
# much of the window the widest row of drawing and caption fills.
CUT = """
const boxes = [...document.querySelectorAll(".drawn")];
const right = (one) => one.getBoundingClientRect().right;
const scrolls = boxes.filter((one) => one.scrollWidth > one.clientWidth + 1);
const words = [...document.querySelectorAll(".alone figcaption")].map((one) => {
  const range = document.createRange();
  range.selectNodeContents(one);
  return right(range);
});
return {
  drawings: boxes.filter((one) => right(one) > document.documentElement.clientWidth)
    .map((one) => one.ariaLabel),
  shadows: scrolls.map((one) => getComputedStyle(one, "::after").opacity > 0),
  share: Math.max(...words) / innerWidth,
};
"""
EVIL = "<script>document.title = 'x'</script>"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """With a trial without an error, which sorts last both ways."""
    rows = [*seeded(), {"network": network(3), "seed": 99, "status": Status.DIVERGED}]
    return made(tmp_path_factory.mktemp("page") / "run", rows, *OVERRIDES)


@pytest.fixture(scope="module")
def report(run: Run) -> Path:
    assert main([str(run.folder)]) == 0
    return run.folder / "report.html"


@pytest.fixture(scope="module")
def html(report: Path) -> str:
    return report.read_text(encoding="utf-8")


def test_what_others_wrote_is_escaped(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    rows = [{"network": network(1), "status": Status.FAILED, "reason": evil, "device": evil}]
    text = "# Does <script>alert(3)</script> pay?\n" + AXES.split("\n", 1)[1]
    run = made(tmp_path / "<b>&", rows, text=text, left_out=["<i>.jpg"])
    html = render(run_page(run))
    page = Parsed(html)
    assert page.tables["failed"][1][1] == evil
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert not {tag for tag, _ in page.tags} & {"img", "b", "i"}
    assert "alert(3)</script>" not in html


def test_nothing_is_asked_of_a_network(html: str) -> None:
    tags = Parsed(html).tags
    asked = [
        value for _, named in tags for key, value in named.items()
        if key in ("src", "href", "xlink:href", "action", "data") and value
    ]  # fmt: skip
    assert all(value.startswith(("#", "data:")) for value in asked)
    assert "@import" not in html
    assert set(re.findall(r"url\((.)", html)) <= {"#"}
    policy = [str(named["content"]) for _, named in tags if named.get("http-equiv")]
    assert policy[0].startswith("default-src 'none'")
    assert not re.findall(r'https?://(?!www\.w3\.org/(?:2000/svg|1999/xlink)")', html)


def test_ids_are_of_one_element_and_figures_have_words(run: Run, html: str) -> None:
    tags = Parsed(html).tags
    ids = [named["id"] for _, named in tags if "id" in named]
    assert len(ids) == len({*ids})
    used = {v for _, named in tags for k, v in named.items() if k.endswith("href") and v}
    assert {v[1:] for v in used if not v.startswith("data:")} <= {*ids}
    drawn = [named for tag, named in tags if tag == "svg"]
    assert len(drawn) == 2 + sum(bool(one.draw) for make in OF_A_RUN for one in make(run).shown)
    assert all(named["role"] == "img" and named["aria-label"] for named in drawn)
    assert [named["lang"] for tag, named in tags if tag == "html"] == ["en"]


def test_figures_are_numbered_through_the_page(html: str) -> None:
    said = re.findall(r"<figcaption>Figure (\d+)\.", html)
    assert said == [str(number) for number in range(1, len(said) + 1)]
    assert len(said) > 2


def test_neighbours_that_are_both_narrow_share_a_row() -> None:
    shown = table(pd.DataFrame({"name": []}), [], name="x", caption="")
    figures = [
        Figure(name=str(width), svg=Markup(), caption="", table=shown, width=width)
        for width in (800, 500, 501, 502, 803, 504)
    ]
    rows = [[one.width for one in row] for row in side_by_side(figures)]
    assert rows == [[800], [500, 501], [502], [803], [504]]
    assert side_by_side([]) == []


def many(folder: Path, count: int) -> Run:
    """So many trials; one in fifty diverged for a reason of its own."""
    rng = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    for number, error in enumerate(rng.uniform(10, 90, count).tolist()):
        shape = network(
            1 + number % 100, scale=1 + number // 100 % 4, cardinality=1 + number // 400
        )
        ended = {"val_error": error, "test_error": error, "curve": [error]}
        if number % 50 == 7:
            ended = {"status": Status.DIVERGED, "reason": f"<{number}> " + "long " * 300}
        rows.append({"network": shape, "seed": number} | ended)
    return made(folder, rows, f"search.trials={count}", text=SPACE_OF_MANY)


@pytest.mark.slow
def test_ten_thousand_trials_are_less_than_five_megabytes(tmp_path: Path) -> None:
    run = many(tmp_path, 10_000)
    html = render(run_page(run))
    assert len(html.encode()) < 5e6
    page = Parsed(html)
    assert len(page.tables["every-trial"]) == 1 + 10_000
    assert len(page.tables["networks-search"]) == 1 + 9_800
    assert "9,800 networks" in page.text["conclusion"]
    assert len(page.tables["failed"]) == 1 + 200


@pytest.mark.slow
def test_two_thousand_trials_are_less_than_two_megabytes(tmp_path: Path) -> None:
    """A row of each table adds as much: of 10,000 trials it is less than five."""
    html = render(run_page(many(tmp_path, 2_000)))
    assert len(html.encode()) < 2e6
    page = Parsed(html)
    assert len(page.tables["every-trial"]) == 1 + 2_000
    assert len(page.tables["networks-search"]) + len(page.tables["failed"]) == 2 + 2_000


def test_more_rows_than_fit_are_named() -> None:
    frame = pd.DataFrame({"name": [str(number) for number in range(10_001)]})
    shown = table(frame, [Column("network", "name")], name="x", caption="All")
    assert len(shown.rows) == 10_000
    assert "the first 10,000 of 10,001 rows" in shown.caption


@pytest.mark.parametrize(("width", "height"), [(1280, 1600), (390, 844)])
def test_in_a_browser(report: Path, width: int, height: int) -> None:
    with browsing(width=width, height=height) as browser:
        browser.open(report)
        assert browser.run("return innerWidth") == width
        assert browser.run("return document.documentElement.scrollWidth") <= width
        assert browser.run("return document.querySelector('nav details').open") == (width > 640)
        cut = browser.run(CUT)
        assert cut["drawings"] == []
        assert all(cut["shadows"])
        assert bool(cut["shadows"]) == (width < 500)
        assert cut["share"] > 0.9
        errors = sorted(error for values in ERRORS.values() for error in values)
        texts = [f"{error:.2f}" for error in errors]
        assert browser.run(SORT, "val error") == [
            ["ascending", [*texts, ""]],
            ["descending", [*texts[::-1], ""]],
        ]
        name = network(2).name
        shown, said = browser.run(FILTER, f"{name.upper()} ok")
        assert (shown, said) == ([name] * 3, "3 of 10 rows fit")
        opened = "document.querySelectorAll('details').forEach((one) => (one.open = true))"
        browser.run(opened)
        assert browser.run("return document.documentElement.scrollWidth") <= width
        assert browser.errors() == []
        assert {url.split(":")[0] for url in browser.requests()} <= {"file", "data"}


def test_in_a_browser_no_script_but_ours_runs(tmp_path: Path) -> None:
    """Even where something were not escaped: the page's policy names the one script."""
    run = made(tmp_path, seeded()[:1])
    with undrawn():
        html = render(run_page(run)).replace("</main>", f"{EVIL}</main>")
    path = tmp_path / "evil.html"
    path.write_text(html, encoding="utf-8")
    with browsing(width=800, height=600) as browser:
        browser.open(path)
        assert browser.run("return document.title") == "Report of tiny"
        assert "Content Security Policy" in "".join(browser.errors())
