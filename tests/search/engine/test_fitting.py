"""What is measured before a study splits batches where memory ends, as trials do."""

import threading
from pathlib import Path

import pytest
import torch
from torch import nn

from search.profiling.precision import choose
from search.profiling.rehearsal import _rehearse
from search.tasks.base import PreparationError
from search.tasks.memory import in_fewest_pieces
from tests.search.engine.test_execution import uncaptured
from tests.search.engine.test_memory import NETWORK, LittleMemory
from tests.search.spaces import plan_of

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_rehearsal_splits_batches_as_its_trial_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(tmp_path)
    size = plan.training.batch_size
    monkeypatch.setattr("search.profiling.rehearsal._STEPS", 2)
    start = threading.Barrier(1)
    assert _rehearse(plan, NETWORK, start, "eager", 0).parts == 1  # type: ignore[arg-type]
    monkeypatch.setattr("search.tasks.classification.build", LittleMemory(size // 4))
    found = _rehearse(plan, NETWORK, start, "eager", 0)  # type: ignore[arg-type]
    assert found.parts == 4
    assert found.step > 0


def test_a_precision_is_chosen_where_a_whole_batch_does_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(tmp_path)
    half = LittleMemory(plan.training.batch_size // 2)
    monkeypatch.setattr("search.tasks.classification.build", half)
    found = choose(plan, NETWORK)
    assert found.fp32 > 0
    assert found.bf16


def test_what_is_measured_falls_back_to_eager_as_a_trial_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.engine.execution._made", uncaptured)
    monkeypatch.setattr("search.profiling.rehearsal._STEPS", 2)
    plan, start = plan_of(tmp_path), threading.Barrier(1)
    found = _rehearse(plan, NETWORK, start, "graphs", 0)  # type: ignore[arg-type]
    assert found.execution == "eager"
    monkeypatch.setattr("search.profiling.precision.chosen", lambda *_, **__: "graphs")
    assert choose(plan, NETWORK).fp32 > 0
    insists = plan.training.model_copy(update={"execution": "graphs"})
    plan = plan.model_copy(update={"training": insists})
    with pytest.raises(PreparationError):
        _rehearse(plan, NETWORK, start, "graphs", 0)  # type: ignore[arg-type]


def test_where_only_single_images_fit_and_norms_need_two_it_is_memory_that_is_short() -> None:
    def run(pieces: int) -> None:
        if pieces < 8:
            raise MemoryError
        nn.BatchNorm1d(3)(torch.zeros(1, 3))

    with pytest.raises(MemoryError, match="does not fit into memory"):
        in_fewest_pieces(run, fewest=1, most=8)
    with pytest.raises(ValueError, match="more than 1 value"):
        in_fewest_pieces(run, fewest=8, most=8)


def test_pieces_are_no_smaller_than_an_image() -> None:
    seen = []

    def run(pieces: int) -> None:
        seen.append(pieces)
        raise MemoryError

    with pytest.raises(MemoryError):
        in_fewest_pieces(run, fewest=3, most=10)
    assert seen == [3, 6, 10]


def test_another_error_is_not_tried_again() -> None:
    seen = []

    def run(pieces: int) -> None:
        seen.append(pieces)
        raise ValueError("a mistake")

    with pytest.raises(ValueError, match="a mistake"):
        in_fewest_pieces(run, fewest=1, most=8)
    assert seen == [1]
