"""The report of one run: every number is the run's, and it never says more than they carry."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from analysis.cards.deck import OF_A_RUN
from analysis.pages.page import render
from analysis.pages.run_page import run_page
from analysis.questions.best import best_networks
from analysis.report import main
from analysis.runs.networks import networks
from analysis.runs.run import Run
from search.schema.parts import origin_of
from search.study.events import Ended, Status
from search.study.journal import Journal
from tests.analysis.made import AXES, ERRORS, OVERRIDES, Parsed, made, network, parsed, seeded


def page_of(run: Run) -> Parsed:
    return parsed(run_page, run)


def numbers(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?(?!\w|\.\d)", text))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return made(tmp_path / "run", seeded(), *OVERRIDES)


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Parsed]:
    """A run that nothing is done to, and its page."""
    run = made(tmp_path_factory.mktemp("read") / "run", seeded(), *OVERRIDES)
    return run, page_of(run)


def test_every_trial_stands_in_the_table_as_in_the_journal(read: tuple[Run, Parsed]) -> None:
    rows = read[1].tables["every-trial"]
    titles = {title: place for place, title in enumerate(rows[0])}
    assert len(rows) == 1 + 9
    for row, (number, trial) in zip(rows[1:], enumerate(seeded()), strict=True):
        cell = {title: row[place] for title, place in titles.items()}
        assert (cell["trial"], cell["network"]) == (str(number), trial["network"].name)
        assert cell["val error (%)"] == f"{trial['val_error']:.2f}"
        assert cell["test error (%)"] == f"{trial['test_error']:.2f}"
        assert (cell["seed"], cell["status"], cell["epochs"]) == (str(trial["seed"]), "ok", "3")
        assert cell["time (s)"] == "36.0"


def test_the_conclusion_is_what_scipy_says_of_the_errors(read: tuple[Run, Parsed]) -> None:
    text = read[1].text["conclusion"]
    best, test = np.array(ERRORS[2]), np.array(ERRORS[2]) + 1.25
    low, high = stats.t.interval(0.95, 2, loc=best.mean(), scale=stats.sem(best))
    assert f"{network(2).name} " in text
    assert f"validation error {best.mean():.2f} % [{low:.2f}, {high:.2f}]" in text
    assert f"test error {test.mean():.2f} % [{low + 1.25:.2f}, {high + 1.25:.2f}]" in text
    tested = stats.ttest_rel(ERRORS[1], ERRORS[2])
    ends = tested.confidence_interval(0.975)
    assert f"{np.mean(ERRORS[1]) - best.mean():.2f} points more" in text
    assert f"{ends.low:+.2f} to {ends.high:+.2f}, p {tested.pvalue:.3f}" in text
    said = "more than chance" if tested.pvalue < 0.025 else "no more than chance may give"
    assert f": {said}." in text


def test_no_number_of_the_conclusion_comes_from_elsewhere(read: tuple[Run, Parsed]) -> None:
    run, page = read
    ranked = networks(run)
    best = ranked.iloc[0]
    tested = stats.ttest_rel(ERRORS[1], ERRORS[2])
    ends = tested.confidence_interval(0.975)
    known = {f"{best[key]:.2f}" for key in ranked.columns if key.startswith(("val", "test"))}
    known |= {f"{ends.low:+.2f}", f"{ends.high:+.2f}", f"{tested.pvalue:.3f}"}
    known |= {f"{tested.statistic * stats.sem(np.subtract(ERRORS[1], ERRORS[2])):.2f}"}
    known |= {"95", "97.5", "3", "0.99", str(int(ranked["on_front"].sum()))}
    worth = best_networks(run)
    mine = worth[worth["name"] == best["name"]].iloc[0]
    known |= {f"{mine[key]:.2f}" for key in ("test", "test_low", "test_high", "best")}
    assert numbers(page.text["conclusion"]) <= known


def test_the_order_of_the_page(read: tuple[Run, Parsed]) -> None:
    run, page = read
    cards = [make(run) for make in OF_A_RUN]
    answered = [card.name for card in cards if not card.refused]
    assert 0 < len(answered) < len(cards)
    assert list(page.text) == [
        "", "question", "conclusion", "figures", *answered, "unanswered", "trials", "failures",
        "cost", "weights", "parts", "made",
    ]  # fmt: skip
    assert "Does <scale> pay & where?" in page.text["question"]
    assert "Three seeds each." in page.text["question"]
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert levels == [1, *[2] * (10 + len(answered))]


def test_what_inference_is_conditional_on_is_said_once(
    read: tuple[Run, Parsed], tmp_path: Path
) -> None:
    said = "Inference is conditional on one subset of images, one split and one test set"
    _, page = read
    assert page.text["conclusion"].count(said) == 1
    assert sum(text.count(said) for text in page.text.values()) == 1
    begun = made(tmp_path / "begun", [{"network": network(1), "status": None}])
    assert said not in page_of(begun).text["conclusion"], "nothing is inferred yet"


def test_a_finished_run_has_no_banner(read: tuple[Run, Parsed]) -> None:
    assert "Read this first" not in read[1].text[""]


def test_an_unfinished_run_says_so_first(tmp_path: Path) -> None:
    rows = [*seeded()[:4], seeded()[4] | {"status": None}]
    page = page_of(made(tmp_path, rows, *OVERRIDES))
    header = page.text[""].strip()
    assert header.startswith("Read this first:")
    assert "not finished: 4 of 9 trials have ended" in header


def test_one_seed_has_no_interval(tmp_path: Path) -> None:
    rows = [row for row in seeded() if row["repeat"] == 0]
    text = page_of(made(tmp_path, rows)).text["conclusion"]
    assert "validation error 20.00 %, test error 21.25 % (one seed: no interval)" in text
    assert "10.00 points more: the seeds are too few to say" in text
    assert "[" not in text


def test_only_failures_conclude_nothing(tmp_path: Path) -> None:
    rows = [
        {"network": network(1), "seed": seed, "status": Status.DIVERGED, "reason": "it is nan"}
        for seed in range(3)
    ]
    page = Parsed(render(run_page(made(tmp_path, rows))))
    assert "no trial was trained to its end, so there is no result to show" in page.text[""]
    assert "nothing can be concluded" in page.text["conclusion"]
    assert page.tables["failed"][1:] == [["diverged", "it is nan", "0, 1, 2", "3"]]
    assert page.tables["networks-search"][1:] == []


def test_a_run_that_has_only_begun(tmp_path: Path) -> None:
    run = made(tmp_path, [{"network": network(1), "status": None}])
    page = Parsed(render(run_page(run)))
    assert "No trial has ended yet, so nothing can be concluded." in page.text["conclusion"]
    assert "not finished: 0 of 3" in page.text[""]
    assert "nothing can be added up" in page.text["cost"]
    assert page_of(made(tmp_path / "empty", [])).tables["every-trial"][1:] == []


def test_how_it_was_made(read: tuple[Run, Parsed]) -> None:
    run, page = read
    row = dict(zip(*page.tables["starts"], strict=True))
    start = run.starts[-1]
    assert (row["time"], row["python"]) == (start["time"], start["python"])
    assert f"torch {start['versions']['torch']}" in row["versions"]
    assert row["command"] == "python -m search.run space.yaml --set 'a=<b>'"
    assert "lr 0.1" in page.text["made"]
    assert "study: tiny" in page.text["made"]


def test_axes_say_what_each_dimension_buys(tmp_path: Path) -> None:
    forms = [(1, 1, 50.0), (2, 1, 40.0), (3, 1, 30.0), (1, 2, 45.0)]
    rows = [
        {"network": network(2, depth=20, scale=scale, cardinality=cardinality), "seed": seed,
         "repeat": seed, "val_error": error, "test_error": error + seed * scale}
        for seed in (0, 1)
        for scale, cardinality, error in forms
    ]  # fmt: skip
    run = made(tmp_path, rows, text=AXES)
    page = page_of(run)
    assert "At equal parameters, scale against cardinality" in page.text["conclusion"]
    assert "At equal multiply-adds, scale against cardinality" in page.text["conclusion"]
    assert {"series", "compared-params", "compared-macs"} <= page.tables.keys()
    begun = made(tmp_path / "begun", rows[1:2], text=AXES)
    assert "no trial of the base network" in page_of(begun).text["conclusion"]


def test_confirmed_networks_are_told_apart(tmp_path: Path) -> None:
    rows = [
        {"network": network(1), "val_error": 10.0, "test_error": 11.0},
        {"network": network(1), "phase": "confirm", "seed": 5, "val_error": 30.0},
        {"network": network(1), "phase": "confirm", "seed": 6, "val_error": 32.0},
    ]  # fmt: skip
    settings = ("search.trials=1", "confirm={top: 1, seeds: 2, epochs: 7}")
    page = page_of(made(tmp_path, rows, *settings))
    assert "Trained again with 2 fresh seeds for 7 epochs" in page.text["conclusion"]
    assert page.tables["networks-confirm"][1][3:5] == ["2", "31.00"]
    assert page.tables["networks-search"][1][3:5] == ["1", "10.00"]


def test_kept_weights_are_listed_with_the_line_that_loads_them(
    read: tuple[Run, Parsed], tmp_path: Path
) -> None:
    assert "None are kept" in read[1].text["weights"]
    run = made(tmp_path, seeded(), *OVERRIDES)
    (tmp_path / "networks").mkdir()
    for repeat, error in enumerate((22.5, 20.0)):
        path = tmp_path / "networks" / f"{network(2).name}-seed{repeat}.safetensors"
        path.touch()
        about = {
            "name": network(2).name, "phase": "search", "repeat": repeat, "epochs": 3,
            "metrics": {"val_error": error},
        }  # fmt: skip
        path.with_suffix(".json").write_text(json.dumps(about), encoding="utf-8")
    stray = tmp_path / "networks" / f"{network(1).name}-confirmed-5epochs-seed0.safetensors"
    stray.touch()
    rows = page_of(run).tables["kept"]
    assert [row[:3] for row in rows[1:]] == [
        [network(1).name, "", ""], [network(2).name, "search", "0"],
        [network(2).name, "search", "1"],
    ]  # fmt: skip
    assert rows[3][4] == "val error 20"
    best = tmp_path / "networks" / f"{network(2).name}-seed1.safetensors"
    assert rows[3][5] == f"res2net.build({network(2).name!r}, weights={str(best)!r})"


def test_parts_from_outside_are_named_with_their_digest(
    read: tuple[Run, Parsed], tmp_path: Path
) -> None:
    assert "None: every part" in read[1].text["parts"]
    name = "tests.analysis.foreign:fair"
    part = origin_of("search.sampler", name)
    run = made(tmp_path, seeded(), *OVERRIDES, f"search.sampler={name}", parts=[part])
    page = page_of(run)
    assert page.tables["foreign"][1][:3] == ["search.sampler", name, part.source]
    assert page.tables["foreign"][1][4] == part.digest
    assert "uniform" in page.text["made"]


def test_a_metric_that_is_to_be_large_is_reported_as_it_is(tmp_path: Path) -> None:
    rows = [
        {"network": network(width), "seed": i, "repeat": i, "curve": [value],
         "metrics": {"val_score": value, "test_score": value - 0.1}}
        for width, values in {1: [0.5, 0.6], 2: [0.8, 0.7], 3: [0.1, 0.2]}.items()
        for i, value in enumerate(values)
    ]  # fmt: skip
    chosen = ("search.trials=3", "search.seeds=2", "task=tests.analysis.foreign:Scored")
    run = made(tmp_path, rows, *chosen)
    html = render(run_page(run))
    page = Parsed(html)
    assert f"best network by validation score is {network(2).name}" in page.text["conclusion"]
    assert "has 0.2 less" in page.text["conclusion"]
    assert "therefore too high on average" in page.text["conclusion"]
    assert "front of validation score and multiply-adds" in page.text["conclusion"]
    assert page.tables["networks-search"][1][:1] == [network(2).name]
    assert "error" not in " ".join(page.tables["networks-search"][0])
    assert "maximize validation score" in page.text["made"]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = made(tmp_path / "run", seeded()[:1], *OVERRIDES)  # with little to draw
    assert main([str(run.folder)]) == 0
    assert capsys.readouterr().out == f"report: {run.folder}/report.html\n"
    first = (run.folder / "report.html").read_text(encoding="utf-8")
    out = run.folder / "again.html"
    assert main([str(run.folder), "--out", str(out)]) == 0
    assert out.read_text(encoding="utf-8") == first, "the same run is the same page"
    assert not list(run.folder.glob("*.part"))


def test_markdown(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(run.folder), "--markdown"]) == 0
    lines = capsys.readouterr().out.splitlines()
    name = network(2).name.replace("_", r"\_")
    best = np.array(ERRORS[2])
    low, high = stats.t.interval(0.95, 2, loc=best.mean(), scale=stats.sem(best))
    row = next(line for line in lines if line.startswith(f"| {name} |"))
    assert f"| 3 | {best.mean():.2f} | {low:.2f} | {high:.2f} |" in row
    assert {line.count("|") for line in lines if line.startswith("|")} == {11}


def test_latex(run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main([str(run.folder), "--format", "latex"]) == 0
    text = capsys.readouterr().out
    assert r"\toprule" in text
    assert r"\begin{tabular}{lrrrrrrrrr}" in text
    assert network(2).name.replace("_", r"\_") in text
    assert not re.search(r"(?<!\\)[_%#]", text)
    out = tmp_path / "table.tex"
    assert main([str(run.folder), "--latex", "--out", str(out)]) == 0
    assert out.read_text(encoding="utf-8") == text


def test_text_of_an_unfinished_run_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = made(tmp_path, seeded()[:2], *OVERRIDES).folder
    assert main([str(folder), "--latex"]) == 0
    printed = capsys.readouterr()
    assert "not finished: 2 of 9 trials" in printed.err
    assert "not finished (2 of 9 trials)" in printed.out


def end_without_start(folder: Path) -> None:
    with Journal(folder) as journal:
        journal.append(Ended(trial=99, status=Status.OK))


def damage_of(name: str, text: str) -> Any:
    return lambda folder: (folder / name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: (folder / "journal.jsonl").unlink(), "contains no journal.jsonl"),
        (lambda folder: (folder / "manifest.json").unlink(), "contains no manifest.json"),
        (damage_of("journal.jsonl", "{\n{}\n"), "is damaged"),
        (damage_of("journal.jsonl", '{"event":"journal","version":99}\n'), "has version 99"),
        (damage_of("manifest.json", "{"), "is damaged"),
        (
            damage_of("manifest.json", json.dumps({"version": 3, "config": {}, "starts": []})),
            "manifest.json: is damaged",
        ),
        (end_without_start, "trial 99 ends and never started"),
    ],
)
def test_bad_runs_are_refused(
    run: Run, damage: Any, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(run.folder)
    assert main([str(run.folder)]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.out == ""
    assert not (run.folder / "report.html").exists()


def test_bad_arguments_are_refused(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(run.folder)
    for arguments, said in (
        ([folder, f"{folder}/../run"], "is named twice"),
        ([folder, "--out", str(tmp_path / "no" / "x.html")], "there is no folder"),
        ([folder, "--out", str(tmp_path)], "is a folder"),
        ([folder, "--out", str(tmp_path / "x.pdf")], "x.html, which a browser prints as PDF"),
        ([folder, "--latex", "--out", str(tmp_path / "x.png")], "x.tex"),
        ([str(tmp_path / "none")], "contains no journal.jsonl"),
    ):
        assert main(arguments) == 2
        assert said in capsys.readouterr().err
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2
