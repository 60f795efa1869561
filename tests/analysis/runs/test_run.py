"""Runs as analysis reads them: whole, interrupted, failed, damaged, newer."""

import json
from pathlib import Path

import pandas as pd
import pytest

from analysis.pages.run_page import failures_section, run_page
from analysis.questions.equal_size import missing
from analysis.questions.series import points
from analysis.questions.verdict import judged
from analysis.runs.networks import networks
from analysis.runs.run import RunError, read_run
from search.schema.seals import sealed_document, sealed_line
from search.space.load import load_space
from search.space.resolve import resolve
from search.study.events import Status
from search.study.journal import FILE, Journal, JournalError
from search.study.study import Study
from tests.analysis.made import made, network, parsed
from tests.analysis.questions.test_series import noisy
from tests.analysis.studied import FIG5, end, write_run

RESULTS = Path(__file__).parents[3] / "analysis" / "results"
PART = """
class Task:
    metrics = (("score", "maximize"),)

def blocks(architecture, cost):
    return sum(architecture.blocks)

blocks.direction = "maximize"

def sampler(survey, *, seed, objectives):
    raise NotImplementedError

sampler.traits = {"uniform"}
"""
CONFIRMED = FIG5.replace("seeds: 4}", "seeds: 2}\nconfirm: {top: 3, seeds: 2, epochs: 4}")


def test_a_run_knows_how_far_it_is(tmp_path: Path) -> None:
    whole = read_run(write_run(tmp_path / "whole", noisy))
    assert (whole.planned, whole.ended, whole.finished, whole.banner()) == (64, 64, True, "")
    part = read_run(write_run(tmp_path / "part", noisy, stop_after=5))
    assert (part.planned, part.ended, part.finished) == (64, 5, False)
    assert part.banner().startswith("not finished: 5 of 64 trials have ended")
    assert "5 of 64 trials have ended" in part.described()


def test_confirmations_count_where_there_is_something_to_confirm(tmp_path: Path) -> None:
    whole = read_run(write_run(tmp_path / "whole", noisy, text=CONFIRMED))
    assert (whole.planned, whole.ended, whole.finished) == (38, 38, True)
    assert len(whole.whole()) == 32, "trials of the search"
    longer = CONFIRMED.replace("epochs: 4", "epochs: 8")
    planned = read_run(write_run(tmp_path / "whole", noisy, text=longer, stop_after=2))
    assert (planned.ended, planned.finished) == (34, False), "of those before it has none"
    failed = read_run(write_run(tmp_path / "failed", lambda _: None, text=CONFIRMED))
    assert (failed.ended, failed.finished) == (32, True)
    assert failed.banner() == ("no trial was trained to its end, so there is no result to show")


def test_failures_of_an_earlier_confirmation_are_of_all_trials_that_ended(
    tmp_path: Path,
) -> None:
    text = CONFIRMED.replace("top: 3, seeds: 2", "top: 1, seeds: 2")
    failing = write_run(
        tmp_path, lambda one: None if one.phase == "confirm" else noisy(one), text=text
    )
    longer = text.replace("epochs: 4", "epochs: 8")
    run = read_run(write_run(failing, noisy, text=longer))
    assert run.ended == 34, "of this plan"
    assert failures_section(run).paragraphs[0] == "2 of 36 trials that ended failed."


def test_one_is_not_written_as_many_in_banner_and_title(tmp_path: Path) -> None:
    rows = [
        {"network": network(1), "val_error": 1.0},
        {"network": network(2), "status": Status.FAILED},
        {"network": network(3), "status": Status.REJECTED},
    ]
    one = made(tmp_path, rows, "training.epochs=1", left_out=["x.jpg"])
    assert one.banner() == (
        "1 trial failed, and its network is not in every result; 1 network was "
        f"{one.plan.rejected_as} and not trained; 1 image could not be read and was left out"
    )
    assert "1 network, 1 seed, on synthetic: 1 epoch of 1" in one.described(short=True)
    empty = made(tmp_path / "empty", [])
    assert "0 networks, no seeds, on" in empty.described(short=True)


def test_a_network_that_is_stopped_early_has_no_other_seeds(tmp_path: Path) -> None:
    text = FIG5.replace("seeds: 4}", "seeds: 2}\nscheduler: {name: asha}")
    run = read_run(write_run(tmp_path, noisy, text=text))
    pruned = int((run.trials["status"] == Status.PRUNED).sum())
    assert pruned > 0
    assert (run.planned, run.ended, run.finished) == (32 - pruned, 32 - pruned, True)


def test_a_table_is_computed_once_and_nobody_s_changes_are_another_s(tmp_path: Path) -> None:
    run, made_of = made(tmp_path, [{"network": network(1), "val_error": 1.0}]), []

    def make() -> pd.DataFrame:
        made_of.append(1)
        return pd.DataFrame({"a": [1]})

    mine = run.once("key", make)
    mine["a"] = 2
    assert run.once("key", make)["a"].tolist() == [1]
    assert made_of == [1]


def test_lengths_share_a_recipe_and_other_recipes_and_data_do_not(tmp_path: Path) -> None:
    first = read_run(write_run(tmp_path / "a", noisy))
    longer = read_run(
        write_run(tmp_path / "b", noisy, text=FIG5.replace("epochs: 2", "epochs: 9"))
    )
    other = FIG5.replace("epochs: 2", "epochs: 2, lr: 0.3").replace("5000", "4000")
    changed = read_run(write_run(tmp_path / "c", noisy, text=other))
    assert (first.recipe, first.data) == (longer.recipe, longer.data)
    assert first.recipe != changed.recipe
    assert first.data != changed.data
    moved = FIG5.replace("name: cifar100", "name: cifar100, root: elsewhere")
    assert read_run(write_run(tmp_path / "d", noisy, text=moved)).data == first.data


def test_facts_come_from_the_data_set(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path, noisy, stop_after=1))
    assert run.chance == 99.0
    assert run.plan.data.resolution == 32


def test_a_run_is_read_without_the_parts_that_it_was_made_with(tmp_path: Path) -> None:
    """Its manifest holds their traits, metrics and directions as they were."""
    part = tmp_path / "own.py"
    part.write_text(PART, encoding="utf-8")
    chosen = [
        f"task={part}:Task", f"search.sampler={part}:sampler",
        f"search.objectives=[val_score, '{part}:blocks']",
    ]  # fmt: skip
    rows = [{"network": network(w), "metrics": {"val_score": w / 10}} for w in (1, 2, 3)]
    rows = [row | {"counted": {f"{part}:blocks": 3.0}} for row in rows]
    folder = made(tmp_path / "run", rows, *chosen).folder
    part.unlink()
    run = read_run(folder)
    assert [(one.direction, one.source) for one in run.objectives] == [
        ("maximize", "reported"), ("maximize", "counted"),
    ]  # fmt: skip
    assert run.manifest.sampler_traits == {"uniform"}
    assert networks(run)["name"].iloc[0] == network(3).name
    text = parsed(run_page, run).text["made"]
    assert "maximize validation score" in text
    assert "maximize blocks" in text


def test_manifests_of_earlier_versions_are_read_whole_and_newer_ones_refused(
    tmp_path: Path,
) -> None:
    base = read_run(RESULTS / "cifar_fig5_tiny").plan.search.base
    assert (base.skeleton, base.depth, base.scale, base.cardinality) == ("cifar", 20, 1, 6)
    assert read_run(RESULTS / "imagenette_smoke").plan.data.test == 0, "it was not written"
    assert read_run(RESULTS / "cifar_fig5_tiny").manifest.candidates is None
    folder = made(tmp_path, []).folder
    noted = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(sealed_document(noted | {"version": 99}))
    with pytest.raises(RunError, match="has version 99, but this program reads up to"):
        read_run(folder)


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"contains no journal.jsonl; give a run such as runs"):
        read_run(tmp_path)
    folder = write_run(tmp_path / "run", noisy, stop_after=1)
    manifest = folder / "manifest.json"
    kept = manifest.read_text()
    manifest.write_text("{")
    with pytest.raises(RunError, match=r"manifest.json: is damaged .*; restore it"):
        read_run(folder)
    manifest.write_text(kept)
    journal = folder / FILE
    header, _, rest = journal.read_text().partition("\n")
    newer = sealed_line({**json.loads(header), "version": 99})
    journal.write_text(newer.decode() + "\n" + rest)
    with pytest.raises(JournalError, match="has version 99"):
        read_run(folder)


def test_settings_of_the_trials_own_are_of_the_recipe_and_of_the_data(tmp_path: Path) -> None:
    texts = {
        "one": FIG5,
        "several": FIG5.replace("epochs: 2", "epochs: 2, lr: [0.1, 0.2]"),
        "rule": FIG5.replace("epochs: 2", "epochs: 2, lr: {rule: depth}"),
        "sides": FIG5.replace("width: 24", "width: 24\n  resolution: [16, 32]"),
    }
    texts["several"] = texts["several"].replace("seeds: 4", "tune: [lr]")
    runs = {
        name: read_run(write_run(tmp_path / name, noisy, text=text, stop_after=1))
        for name, text in texts.items()
    }
    recipes = [runs[name].recipe for name in ("one", "several", "rule")]
    assert len({*recipes}) == 3
    assert runs["one"].data == runs["several"].data != runs["sides"].data


def test_a_title_says_every_length(tmp_path: Path) -> None:
    text = FIG5.replace("epochs: 2", "epochs: [2, 5]").replace(
        "sampler: axes", "tune: [epochs]"
    )
    text = text.replace("seeds: 4", "seeds: 1, sampler: random, trials: 1")
    run = read_run(write_run(tmp_path, noisy, text=text))
    assert "2 to 5 epochs" in run.described(short=True)


def test_a_title_says_a_size_that_is_not_the_data_set_s_own(tmp_path: Path) -> None:
    own = read_run(write_run(tmp_path / "own", noisy, stop_after=1))
    assert own.described(short=True).endswith("images")
    text = FIG5.replace("  width: 24", "  width: 24\n  resolution: 16")
    small = read_run(write_run(tmp_path / "small", noisy, text=text, stop_after=1))
    assert small.described(short=True).endswith("images at 16 px")


def test_other_seeds_say_which_try_stands(tmp_path: Path) -> None:
    """One that failed, is tried again and is better then has other settings than they."""
    text = FIG5.replace("epochs: 2", "epochs: 1, lr: [0.1, 0.2]")
    text = text.replace("sampler: axes", "tune: [lr], sampler: random, trials: 1")
    folder = write_run(
        tmp_path, lambda one: None if one.tuned["lr"] == 0.2 else 50.0, text=text
    )
    plan, survey = resolve(*load_space(folder / "asked.yaml"))
    with Journal(folder) as journal:
        study = Study(plan, survey, journal)
        assert study.retry([Status.FAILED]) == 1
        started = study.next()
        assert started is not None
        end(study, started, 10.0)
    run = read_run(folder)
    assert run.finished
    assert set(run.whole()["lr"]) == {0.1}
    assert len(run.whole()) == 4


def test_a_try_that_failed_is_held_against_no_network(tmp_path: Path) -> None:
    text = FIG5.replace("epochs: 2", "epochs: 1, lr: [0.1, 0.2]")
    text = text.replace("seeds: 4", "tune: [lr], seeds: 2")
    folder = write_run(
        tmp_path,
        lambda one: None if one.tuned["lr"] == 0.2 else 50.0 - one.macs / 1e9,
        text=text,
    )
    run = read_run(folder)
    assert run.finished
    assert not run.banner()
    assert missing(run, points(run)) == []
    first, second = run.whole()["name"].unique()[:2]
    assert "failed" not in judged(run, first, second).reason
