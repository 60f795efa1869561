"""A study takes over what another run has finished and it would train again: `--reuse`."""

import io
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from rich.console import Console
from torch import nn

import res2net
import search
from analysis.pages.facts import cost
from analysis.questions.stopping import rule_of
from analysis.runs.run import read_run
from search import run_study
from search.plan_work import work
from search.preparation import open_space, prepare
from search.profiling.estimate import Rehearsal, Timed
from search.profiling.measuring import measure
from search.progress import Progress
from search.result import StudyResult
from search.reuse import _elsewhere, reusable
from search.run import main
from search.samplers.ordered import Elsewhere
from search.schema.settings import VARIABLE
from search.schema.training import PlannedTraining
from search.schema.yaml import ConfigError
from search.session import _to_run
from search.study.events import Ended, Status
from search.study.journal import Journal, read
from search.study.loading import loading_line
from search.study.manifest import read as read_manifest
from search.study.reusing import ReusingStudy, finished_of
from search.study.weights import weights_path
from tests.search.study.test_study import end_of, epoch_of

SMALL: dict[str, Any] = {
    "study": "small",
    "network": {
        "skeleton": "cifar",
        "planes": 2,
        "depth": [11, 20],
        "width": 2,
        "scale": [1, 2],
    },
    "data": {"name": "digits", "validation": 100, "train": 100},
    "training": {"epochs": 2, "batch_size": 50, "precision": "fp32", "lr": 0.2},
    "search": {"sampler": "axes", "seeds": 2},
    "keep": {"best": 9},
}
# The same, wider, and with a rate for each depth: 0.2 for the one of 11 layers.
WIDER: dict[str, Any] = SMALL | {
    "study": "wider",
    "network": SMALL["network"] | {"scale": [1, 2, 3]},
    "training": SMALL["training"] | {"lr": {"rule": "depth", "lr": 0.2, "depth": 11}},
}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("small") / "run"
    run_study(SMALL, out=out, inline=True)
    return out


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    """The wider study with every trial trained."""
    return run_study(WIDER, out=tmp_path_factory.mktemp("trained") / "run", inline=True)


@pytest.fixture(scope="module")
def reused(small: Path, tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    """The wider study, which takes over what the small one has."""
    out = tmp_path_factory.mktemp("reused") / "run"
    return run_study(WIDER, out=out, inline=True, reuse=[small])


def test_what_is_the_same_is_not_trained_again(
    small: Path, trained: StudyResult, reused: StudyResult
) -> None:
    """And every trial reports what it reports where all are trained, to the last bit."""
    result = reused
    assert result.finished
    assert _told(result) == _told(trained)
    # Networks of 11 layers and scale 1 and 2; of 20 layers the rate is another.
    assert _taken_over(result.folder) == {
        (name, seed): str(small)
        for name in ("resnet11_2w_2p_10classes", "res2net11_2w2s_2p_10classes")
        for seed in range(2)
    }
    for path in trained.weights:
        here = safetensors.torch.load_file(result.folder / "networks" / path.name)
        there = safetensors.torch.load_file(path)
        assert all(torch.equal(here[key], there[key]) for key in there)


@pytest.mark.slow  # in one process the same is shown
def test_ray_trains_the_others(small: Path, trained: StudyResult, tmp_path: Path) -> None:
    result = run_study(WIDER, out=tmp_path / "run", reuse=[small])
    assert len(_taken_over(result.folder)) == 4
    assert _told(result) == _told(trained)


def test_where_nothing_is_left_nothing_is_trained(small: Path, tmp_path: Path) -> None:
    """Of a run that took trials over itself, the one that trained them is named."""
    first = run_study(SMALL, out=tmp_path / "a", inline=True, reuse=[small])
    second = run_study(SMALL, out=tmp_path / "b", inline=True, reuse=[first.folder])
    assert set(_taken_over(second.folder).values()) == {str(small)}
    assert len(_taken_over(second.folder)) == len(second.trials) == 6
    assert _told(second) == _told(first)


def test_seeds_beyond_those_of_the_other_run_were_added_after_a_look(
    small: Path, tmp_path: Path
) -> None:
    more = SMALL | {"search": SMALL["search"] | {"seeds": 3}}
    for name, space, added in (("same", SMALL, False), ("more", more, True)):
        folder = run_study(space, out=tmp_path / name, inline=True, reuse=small).folder
        assert rule_of(read_run(folder)).every_look is added


@pytest.mark.parametrize("promotion", [False, True])
def test_early_stopping_ends_what_is_taken_over_as_what_is_trained(
    tmp_path: Path, promotion: bool
) -> None:
    """And says where it was trained: also what rests at a rung, and is not gone on with."""
    space = {
        "study": "stopped",
        "network": SMALL["network"] | {"cardinality": [1, 2]},
        "data": SMALL["data"],
        "training": SMALL["training"] | {"epochs": 3},
        "search": {"sampler": "random", "trials": 5, "seed": 1},
    }
    asha = {"scheduler": {"name": "asha", "grace": 1, "reduction": 2, "promotion": promotion}}
    whole = run_study(space, out=tmp_path / "whole", inline=True)
    trained = run_study(space | asha, out=tmp_path / "trained", inline=True)
    reused = run_study(space | asha, out=tmp_path / "run", inline=True, reuse=[whole.folder])
    assert _told(reused) == _told(trained)
    ended = {one.ended.status for one in reused.trials if one.ended}
    assert ended == {Status.OK, Status.PRUNED}
    assert len(_taken_over(reused.folder)) == 5


def test_a_trial_under_way_is_taken_over_where_another_run_has_finished_it(
    small: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    result = run_study(SMALL, out=folder, inline=True)
    lines = (folder / "journal.jsonl").read_text().splitlines(keepends=True)
    last = [at for at, line in enumerate(lines) if '"event":"epoch"' in line][-1]
    (folder / "journal.jsonl").write_text("".join(lines[:last]))
    again = run_study(SMALL, out=folder, inline=True, reuse=[small])
    assert _told(again) == _told(result)
    assert len(_taken_over(folder)) == 1


def test_a_crash_between_a_stop_and_its_end_does_not_hide_where_it_was_trained(
    tmp_path: Path,
) -> None:
    space = SMALL | {"search": {"sampler": "grid"}}
    asha = space | {"scheduler": {"name": "asha", "grace": 1, "reduction": 2}}
    whole = run_study(space, out=tmp_path / "whole", inline=True)
    folder = run_study(asha, out=tmp_path / "run", inline=True, reuse=whole.folder).folder
    before = _taken_over(folder)
    lines = (folder / "journal.jsonl").read_text().splitlines(keepends=True)
    pruned = next(at for at, line in enumerate(lines) if '"status":"pruned"' in line)
    (folder / "journal.jsonl").write_text("".join(lines[:pruned]))
    run_study(asha, out=folder, inline=True, reuse=whole.folder)
    assert _taken_over(folder) == before
    assert len(before) == 4


def test_weights_taken_over_are_loaded_by_the_line_that_is_shown(
    small: Path, tmp_path: Path
) -> None:
    """Here their network has a rate of its own, of which the other run knew nothing."""
    network = SMALL["network"] | {"depth": 11, "scale": 1}
    training = SMALL["training"] | {"lr": [0.1, 0.2]}
    space = SMALL | {
        "network": network, "training": training, "search": {"sampler": "grid"}
    }  # fmt: skip
    result = run_study(space, out=tmp_path / "run", inline=True, reuse=small)
    (taken,) = [one.started for one in result.trials if one.ended and one.ended.source]
    path = weights_path(result.folder, taken)
    assert path in result.weights
    assert _about(path)["settings"] == {"lr": 0.2}
    line = loading_line(path, plan=result.plan)
    assert isinstance(eval(line, {"res2net": res2net, "search": search}), nn.Module)


def test_other_seeds_of_a_tuned_network_may_have_other_settings(
    small: Path, tmp_path: Path
) -> None:
    """So whether those of the other run are taken over is not known before."""
    tuned = SMALL | {
        "training": SMALL["training"] | {"lr": [0.1, 0.2]},
        "search": {"sampler": "grid", "seeds": 2, "tune": ["lr"]},
    }
    with prepared_study(tuned, tmp_path / "run", small) as study:
        assert study.remaining.taken_over == 3 * 2, "a try of three networks"
        assert study.remaining.may_take_over
        trained = before = study.remaining.epochs()
        while (started := study.next()) is not None:
            for number in range(1, 3):
                study.report(epoch_of(started, number))
            study.end(end_of(started))
        trained = sum(2 for one in study.history.ends.values() if not one.source)
    assert 0 < trained <= before


def test_the_report_says_what_was_trained_elsewhere(small: Path, reused: StudyResult) -> None:
    said = dict(cost(read_run(reused.folder)))
    assert said["Taken over"].startswith(
        f"4 of 8 trials were trained in another run: {small} (4 trials)"
    )
    assert "Taken over" not in dict(cost(read_run(small)))


def test_the_command_says_how_many_and_the_plan_too(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space, out = tmp_path / "wider.yaml", str(tmp_path / "run")
    space.write_text(json.dumps(WIDER))
    said = f"reuse: 4 of 6 finished trials of {small} can be taken over"
    assert main([str(space), "--out", out, "--plan", "--reuse", str(small)]) == 0
    planned = capsys.readouterr().out
    assert said in planned
    assert "in all 8 epochs without the 4 trials taken over, about" in planned
    assert not (tmp_path / "run").exists()
    assert main([str(space), "--out", out, "--inline", "--reuse", str(small)]) == 0
    shown = capsys.readouterr().out
    assert said in shown
    assert shown.count(f"taken over from {small}") == 4


def test_the_plan_knows_what_is_taken_over_where_a_setting_varies(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rates = SMALL | {
        "training": SMALL["training"] | {"lr": [0.1, 0.2]},
        "search": {"sampler": "grid", "seeds": 2},
    }
    space = tmp_path / "rates.yaml"
    space.write_text(json.dumps(rates))
    assert main([str(space), "--plan", "--reuse", str(small)]) == 0
    assert "in all 20 epochs without the 6 trials taken over" in capsys.readouterr().out


def test_weights_that_are_taken_over_say_of_which_study_they_are(
    small: Path, tmp_path: Path
) -> None:
    """A transfer reads by what the networks were compared; what they are stays as it was."""
    other = SMALL | {"search": SMALL["search"] | {"objectives": ["val_error_top5", "macs"]}}
    result = run_study(other, out=tmp_path / "run", inline=True, reuse=small)
    assert len(result.weights) == len(result.trials) == 6
    for path in result.weights:
        there, here = _about(small / "networks" / path.name), _about(path)
        assert here["objective"]["name"] == "val_error_top5"
        ours = {"trial", "objective"}
        assert {k: here[k] for k in here.keys() - ours} == {
            k: there[k] for k in there.keys() - ours
        }


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
def test_damaged_weights_are_not_taken_over_and_the_trial_is(
    small: Path, tmp_path: Path, suffix: str
) -> None:
    other = shutil.copytree(small, tmp_path / "other")
    (damaged, *_) = sorted((other / "networks").glob(f"*{suffix}"))
    damaged.write_bytes(damaged.read_bytes()[:40])
    result = run_study(SMALL, out=tmp_path / "run", inline=True, reuse=other)
    assert result.finished
    assert len(result.weights) == len(result.trials) - 1
    (said,) = [one.ended.reason for one in result.trials if one.ended and one.ended.reason]
    assert said.startswith("its weights were not taken over: ")
    assert "is damaged" in said


def test_a_space_with_a_higher_resolution_takes_over_the_lower_one(tmp_path: Path) -> None:
    network = SMALL["network"] | {"depth": 11, "scale": 1}
    space = SMALL | {"search": {"sampler": "grid"}}
    low = space | {"network": network | {"resolution": [8]}}
    both = space | {"network": network | {"resolution": [8, 16]}}
    first = run_study(low, out=tmp_path / "a", inline=True)
    second = run_study(both, out=tmp_path / "b", inline=True, reuse=first.folder)
    assert len(second.trials) == 2
    assert len(_taken_over(second.folder)) == 1


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # of "another"
@pytest.mark.parametrize(
    "key", sorted({*PlannedTraining.model_fields} - {*VARIABLE, "execution"})
)
def test_every_key_of_a_recipe_is_looked_at(small: Path, key: str) -> None:
    """Those that trials may have of their own are looked at trial by trial."""
    prepared = prepare(open_space(SMALL))
    training = prepared.plan.training.model_copy(update={key: "another"})
    plan = prepared.plan.model_copy(update={"training": training})
    with pytest.raises(ConfigError, match=rf"training\.{key} is .* there and 'another' here"):
        reusable([small], plan, prepared.survey, (), Console(quiet=True))


def test_a_replay_trained_nothing(small: Path, tmp_path: Path) -> None:
    replayed = SMALL | {"execution": {"replay": str(small)}}
    folder = run_study(replayed, out=tmp_path / "replay").folder
    with pytest.raises(ConfigError, match=r"^--reuse: .*replay is a replay, which trained"):
        run_study(SMALL, out=tmp_path / "run", inline=True, reuse=folder)
    with pytest.raises(ConfigError, match=r"^--reuse: a replay trains nothing"):
        run_study(replayed, out=tmp_path / "run", reuse=small)


REFUSED: dict[str, tuple[Mapping[str, Any], str]] = {
    "recipe": (
        {"training": SMALL["training"] | {"ema": 0.9}},
        r"training\.ema is None there and",
    ),
    "images": ({"data": SMALL["data"] | {"train": 50}}, r"data\.train is 100 there and 50"),
    "seed": ({"search": SMALL["search"] | {"seed": 5}}, r"search\.seed is 0 there and 5 here"),
    "threads": ({"resources": {"cpu": 2}}, r"resources\.cpu is 1 there and 2 here"),
    "measured": (
        {"search": {"sampler": "grid", "objectives": ["val_error", "latency"]}},
        "measures latency of each network on its own device",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_the_same_is_refused(small: Path, tmp_path: Path, case: str) -> None:
    """Before anything is written."""
    other, why = REFUSED[case]
    with pytest.raises(ConfigError, match=f"^--reuse: .*{why}"):
        run_study(SMALL | other, out=tmp_path / "run", inline=True, reuse=[small])
    assert not (tmp_path / "run").exists()


def test_a_folder_without_a_run_is_refused(small: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--reuse: .*nothing is not the folder of a run"):
        run_study(SMALL, out=tmp_path / "run", inline=True, reuse=[tmp_path / "nothing"])
    damaged = tmp_path / "damaged"
    shutil.copytree(small, damaged)
    lines = (damaged / "journal.jsonl").read_text().splitlines(keepends=True)
    (damaged / "journal.jsonl").write_text("".join([*lines[:3], "{}\n", *lines[3:]]))
    with pytest.raises(ConfigError, match=r"^--reuse: .*journal\.jsonl:4: is damaged"):
        run_study(SMALL, out=tmp_path / "run", inline=True, reuse=[damaged])


def test_settings_that_vary_are_looked_at_trial_by_trial(tmp_path: Path) -> None:
    """A run with several rates holds the trial of a study of one of them."""
    space = SMALL | {"network": SMALL["network"] | {"depth": 11, "scale": 1}}
    space |= {"search": {"sampler": "grid"}}
    several = {"training": SMALL["training"] | {"lr": [0.1, 0.2]}}
    rates = run_study(space | several, out=tmp_path / "rates", inline=True)
    result = run_study(space, out=tmp_path / "run", inline=True, reuse=[rates.folder])
    assert len(_taken_over(result.folder)) == len(result.trials) == 1
    there = next(trial for trial in rates.trials if trial.started.settings["lr"] == 0.2)
    assert result.trials[0].metrics == there.metrics


def _told(result: StudyResult) -> dict[tuple[str, int], tuple[Any, ...]]:
    """What each trial reported at its end, by network and seed."""
    return {
        (one.name, one.started.repeat): (one.ended.status, one.ended.epochs, one.ended.metrics)
        for one in result.trials
        if one.ended
    }


def _about(weights: Path) -> dict[str, Any]:
    """What the file beside weights says of them."""
    about: dict[str, Any] = json.loads(weights.with_suffix(".json").read_text())
    return about


def _taken_over(folder: Path) -> dict[tuple[str, int], str]:
    """The run that trained each trial which this one did not, by network and seed."""
    records = read(folder)
    starts = {one.trial: one for one in records if one.event == "start"}
    return {
        (starts[one.trial].name, starts[one.trial].repeat): one.source
        for one in records
        if isinstance(one, Ended) and one.source
    }


def test_of_trials_of_a_gpu_it_says_on_which_they_were_trained(small: Path) -> None:
    there = read_manifest(small)
    assert there is not None
    gpu = there.plan.resources.model_copy(update={"gpu": 1.0})
    plan = there.plan.model_copy(update={"resources": gpu})
    found = finished_of(small, read(small), lambda _: 0)
    (note,) = _elsewhere(there, plan, found)
    assert note.startswith(f"trained on {found[0].ended.device}; another kind of GPU")
    assert not list(_elsewhere(there, plan, []))


@contextmanager
def prepared_study(space: dict[str, Any], folder: Path, *runs: Path) -> Iterator[ReusingStudy]:
    """A study that has not begun, with the trials that it may take over."""
    prepared = prepare(open_space(space))
    found = reusable(runs, prepared.plan, prepared.survey, (), Console(quiet=True))
    with Journal(folder) as journal:
        yield ReusingStudy(prepared.plan, prepared.survey, journal, elsewhere=found)


def test_what_is_taken_over_is_not_left_to_train(small: Path, tmp_path: Path) -> None:
    """Of a study that tries all its networks; else some may not be asked for."""
    with prepared_study(WIDER, tmp_path / "whole", small) as study:
        assert _to_run(study) == "4 trials to run and 4 to take over from other runs"
        assert study.remaining.epochs() == 4 * 2
        assert not study.remaining.at_most
    sampled = WIDER | {"search": {"sampler": "random", "trials": 3, "seeds": 2}}
    with prepared_study(sampled, tmp_path / "some", small) as study:
        assert _to_run(study) == "6 trials to run, up to 4 of them taken over from other runs"
        assert study.remaining.epochs() == 6 * 2
        assert study.remaining.at_most
    one_seed = WIDER | {"search": {"sampler": "grid"}}
    with prepared_study(one_seed, tmp_path / "one", small) as study:
        assert _to_run(study) == "4 trials to run and 2 to take over from other runs"


def test_what_is_taken_over_says_nothing_of_this_machine(small: Path, tmp_path: Path) -> None:
    """Its times and rate are those of the other run."""
    output = io.StringIO()
    with (
        prepared_study(WIDER, tmp_path / "run", small) as study,
        Progress(Console(file=output, width=200), study) as progress,
    ):
        study.observers.append(progress)
        while (started := study.next()) is not None:
            assert study.remaining.epochs() <= 4 * 2
            for number in range(1, 3):
                study.report(epoch_of(started, number))
            study.end(end_of(started))
        assert study.remaining.epochs() == 0
    lines = output.getvalue().splitlines()
    assert sum(" starts: " in line for line in lines) == 4, "those that are trained"
    taken_over = [line for line in lines if "taken over from" in line]
    assert len(taken_over) == 4
    assert " images/s" not in taken_over[0]
    assert not re.search(r"\b(about|at most) .* left", taken_over[0]), "no epoch was timed"


def test_hours_are_of_the_trials_that_are_trained(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.profiling.measuring.Rehearsals", lambda *_, **__: nullcontext())
    one = Rehearsal(1.0, (1.0, 1.0), 0.0, 1, "eager")
    monkeypatch.setattr(
        "search.profiling.measuring._timed", lambda plan, survey, at, _: Timed(at, one, 10.0)
    )
    prepared = prepare(open_space(WIDER))
    plan, survey = prepared.plan, prepared.survey
    most = 3 * 2 * 4 * survey.costs.params.max()
    for taken_over, trained in ((0, 8), (4, 4), (8, 0)):
        elsewhere = Elsewhere(taken_over=[0, 0, 1, 1, 2, 2, 3, 3][:taken_over])
        estimate = measure(plan, survey, beside=1, elsewhere=elsewhere)
        assert estimate.work == pytest.approx(trained * 2 * 10)
        assert estimate.wall == pytest.approx(trained * 2 * 10)
        running = 3 * 2 * 4 * survey.costs.params.max() * (trained > 0)
        assert estimate.disk == measure(plan, survey, beside=1).disk - most + running


def test_the_plan_leaves_out_the_costs_of_the_very_trials_that_are_taken_over() -> None:
    """Those of the cheapest networks: what is left costs more than as many mean ones."""
    prepared = prepare(open_space(WIDER))
    plan, survey = prepared.plan, prepared.survey
    dearest = int(survey.costs.model_macs.argmax())
    cheaper = [one for one in range(len(survey)) if one != dearest for _ in range(2)]
    lines = work(plan, survey, gpu=0, precision="fp32", elsewhere=Elsewhere((), cheaper))
    (said,) = [str(line) for line in lines if str(line).startswith("in all")]
    left = 3 * plan.data.train * 2 * 2 * int(survey.costs.model_macs[dearest])
    assert said.startswith(
        f"in all 4 epochs without the 6 trials taken over, about {left:.2g} multiply-adds"
    )
