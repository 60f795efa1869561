"""A run as a study of Optuna's: the journal's values, and Optuna's own plots of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import optuna
import pytest
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState
from optuna.visualization import matplotlib as plots

from analysis.runs import optuna_study
from analysis.runs.run import RunError, read_run
from search.study import journal
from search.study.events import Ended, Epoch, Retried, Started, Status
from search.study.journal import Journal
from tests.analysis.made import made, network
from tests.analysis.studied import write_run
from tests.search.spaces import TINY

pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")


def by_cost(started: Started) -> float | None:
    """Trials 4 and 9 fail; the others are the better the dearer they are."""
    return None if started.trial in (4, 9) else 60 - started.macs / 10_000


@pytest.fixture
def run(tmp_path: Path) -> Any:
    text = TINY.replace("trials: 3", "trials: 12, seeds: 2") + "confirm:\n"
    text += "  {top: 1, seeds: 1, epochs: 2}\n"
    return read_run(write_run(tmp_path, by_cost, text=text))


def test_a_trial_is_the_first_of_a_network_as_the_journal_has_it(run: Any) -> None:
    records = journal.read(run.folder)
    starts = {r.trial: r for r in records if isinstance(r, Started)}
    first = {n: s for n, s in starts.items() if s.phase == "search" and s.repeat == 0}
    ends = {r.trial: r for r in records if isinstance(r, Ended)}
    assert len(starts) > len(first) == 12  # it has repeats and a confirmation beside these
    study = optuna_study(run)
    assert study.directions == [optuna.study.StudyDirection.MINIMIZE]
    assert [trial.user_attrs["trial"] for trial in study.trials] == list(first)
    for trial in study.trials:
        started, ended = (each[trial.user_attrs["trial"]] for each in (starts, ends))
        built = started.network()
        assert trial.params == {
            key: getattr(built, key) for key in ("depth", "cardinality", "scale", "width")
        }
        about = {key: trial.user_attrs[key] for key in ("name", "macs", "params", "seed")}
        assert about == {key: getattr(started, key) for key in about}
        assert trial.user_attrs["status"] == ended.status
        assert trial.user_attrs["seconds"] == ended.seconds
        if ended.status is Status.OK:
            assert trial.state is TrialState.COMPLETE
            assert trial.value == ended.metrics["val_error"]
            assert trial.intermediate_values == {
                r.epoch: r.metrics["val_error"]
                for r in records
                if isinstance(r, Epoch) and r.trial == started.trial
            }
        else:
            assert trial.state is TrialState.FAIL
            assert trial.user_attrs["reason"] == "it broke"
    assert [t.user_attrs["trial"] for t in study.trials if t.state is TrialState.FAIL] == [4, 9]
    assert study.best_trial.user_attrs["macs"] == max(
        s.macs for n, s in first.items() if n not in (4, 9)
    )


@pytest.mark.parametrize(
    "plot",
    [
        plots.plot_optimization_history,
        plots.plot_param_importances,
        plots.plot_slice,
        plots.plot_edf,
        plots.plot_intermediate_values,
        plots.plot_parallel_coordinate,
        pytest.param(plots.plot_contour, marks=pytest.mark.slow),  # the slowest of them
        plots.plot_rank,
        plots.plot_timeline,
    ],
)
def test_optunas_own_plots_work(run: Any, plot: Callable[..., Any]) -> None:
    assert plot(optuna_study(run)) is not None
    plt.close("all")


def test_all_dimensions_have_an_importance(run: Any) -> None:
    found = optuna.importance.get_param_importances(optuna_study(run))
    assert set(found) == {"depth", "cardinality", "scale", "width"}


def test_two_objectives_are_a_front(tmp_path: Path) -> None:
    text = TINY.replace("trials: 3", "trials: 12, objectives: [val_error, macs]")
    run = read_run(write_run(tmp_path, by_cost, text=text))
    study = optuna_study(run)
    complete = [trial for trial in study.trials if trial.state is TrialState.COMPLETE]
    assert len(complete) == 10
    for trial in complete:  # the dearer the better: each is on the front
        assert trial.values == pytest.approx(
            [61 - trial.user_attrs["macs"] / 10_000, trial.user_attrs["macs"]]
        )
    assert study.best_trials == complete
    assert plots.plot_pareto_front(study).get_xlabel() == "val_error"
    plt.close("all")


def test_a_pruned_and_a_running_trial_are_told_so(tmp_path: Path) -> None:
    run = made(
        tmp_path,
        [
            {
                "network": network(1),
                "curve": [50.0],
                "status": Status.PRUNED,
                "val_error": 50.0,
            },
            {"network": network(2), "curve": [40.0, 30.0], "status": None},
            {"network": network(3), "status": Status.DIVERGED, "reason": "loss is nan"},
        ],
        "search.trials=3",
    )
    pruned, running, diverged = optuna_study(run).trials
    assert (pruned.state, pruned.value) == (TrialState.PRUNED, 50.0)
    assert pruned.intermediate_values == {1: 50.0}
    assert (running.state, running.value) == (TrialState.RUNNING, None)
    assert running.intermediate_values == {1: 40.0, 2: 30.0}
    assert (running.user_attrs["status"], running.user_attrs["seconds"]) == ("running", 4.0)
    assert (diverged.state, diverged.user_attrs["reason"]) == (TrialState.FAIL, "loss is nan")


def test_one_that_is_tried_again_is_one_trial(tmp_path: Path) -> None:
    folder = made(tmp_path, [{"network": network(1), "status": Status.FAILED}]).folder
    with Journal(folder) as record:
        record.append(Retried(trial=0))
    (trial,) = optuna_study(read_run(folder)).trials
    assert trial.state is TrialState.RUNNING


def test_a_width_that_is_solved_is_no_parameter_but_is_told(tmp_path: Path) -> None:
    text = TINY.replace("width: [1, 2, 3]", "width: fill")
    run = read_run(write_run(tmp_path, by_cost, text=text))
    for trial in optuna_study(run).trials:
        assert set(trial.params) == {"depth", "cardinality", "scale"}
        assert trial.user_attrs["width"] >= 1


def test_values_of_each_stage_and_words_are_choices(tmp_path: Path) -> None:
    text = TINY.replace("scale: [1, 2, 3]", "scale: [1, [1, 2, 2]]\n  se: [false, true]")
    run = read_run(write_run(tmp_path, by_cost, text=text))
    study = optuna_study(run)
    assert study.trials[0].distributions["scale"].choices == (1, "1.2.2")
    assert study.trials[0].distributions["se"].choices == (False, True)


def test_a_storage_that_has_it_already_is_said(run: Any) -> None:
    storage = InMemoryStorage()
    study = optuna_study(run, storage)
    assert optuna.load_study(study_name="tiny", storage=storage).trials == study.trials
    with pytest.raises(RunError, match="tiny: the storage already has a study of this name"):
        optuna_study(run, storage)
