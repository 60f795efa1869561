"""What a GPU would do, as far as it is decided without one."""

import sys
import sysconfig
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from res2net import build, parse
from search.engine.execution import chosen, prepare
from search.engine.failures import outcome, raise_if_of_the_machine
from search.engine.training import Trainer
from search.profiling.rehearsal import execution_of
from search.study.events import Status
from search.tasks.base import PreparationError
from search.tasks.classification import Classification, scored_at_once
from tests.search.engine.benches import bench_on, recipe
from tests.search.engine.test_training import NETWORK, random_splits
from tests.search.engine.test_trial import bench_of, finish, start, trial_of
from tests.search.spaces import plan_of

CUDA, CPU = torch.device("cuda"), torch.device("cpu")


@pytest.mark.parametrize(
    ("compiler", "execution"),
    [("there", "compile"), ("gone", "graphs"), ("without Python.h", "graphs")],
)
def test_a_long_training_is_compiled_where_there_is_a_compiler(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, compiler: str, execution: str
) -> None:
    """On a GPU its kernels are called by a module of Python, which needs Python's header."""
    monkeypatch.setenv("CC", "no-such-compiler" if compiler == "gone" else sys.executable)
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    if compiler != "without Python.h":
        (tmp_path / "Python.h").touch()
    assert chosen("auto", device=CUDA, steps=100_000) == execution
    assert chosen("auto", device=CUDA, steps=1_000) == "graphs"
    assert chosen("auto", device=CPU, steps=100_000) == "eager"
    assert chosen("compile", device=CUDA, steps=1) == "compile"


def test_a_rehearsal_runs_as_a_trial_does_but_is_never_compiled(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)

    def how(execution: str, *, gpu: float, epochs: int) -> str:
        changes = {"execution": execution, "epochs": epochs}
        training = plan.training.model_copy(update=changes)
        resources = plan.resources.model_copy(update={"gpu": gpu})
        update = {"training": training, "resources": resources}
        return execution_of(plan.model_copy(update=update))

    assert how("auto", gpu=0, epochs=10_000) == "eager"
    assert how("compile", gpu=0, epochs=1) == "eager"
    assert how("auto", gpu=1, epochs=1) == "eager"
    assert how("auto", gpu=0.5, epochs=10_000) == "graphs"
    assert how("compile", gpu=1, epochs=1) == "graphs"


NOT_PERMITTED = "operation not permitted when stream is capturing"  # CUDA's own words


def uncaptured(*_: object) -> None:
    """End as torch does when a network looks at a value while it is captured."""
    try:
        raise torch.AcceleratorError(f"CUDA error: {NOT_PERMITTED}")
    finally:
        raise torch.AcceleratorError("CUDA error: operation failed due to a previous error")


def captured(**changes: object) -> Trainer:
    return Trainer(
        NETWORK, bench_on(recipe(epochs=2, **changes), random_splits()), epochs=2, seed=5
    )


def test_a_network_that_cannot_be_captured_trains_eagerly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    eager = captured(execution="eager").epoch(trial=0)
    monkeypatch.setattr("search.engine.training.chosen", lambda *_, **__: "graphs")
    monkeypatch.setattr("search.engine.execution._made", uncaptured)
    ours = captured(execution="auto")
    again = ours.epoch(trial=0)
    assert ours.execution == "eager"
    assert eager is not None
    assert again is not None
    assert again.metrics == eager.metrics


def test_where_graphs_were_asked_for_it_is_said_why_there_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.engine.execution._made", uncaptured)
    trial = trial_of(bench_of(execution="graphs"), tmp_path, start(NETWORK, epochs=2))
    _, ended = finish(trial)
    assert ended.status is Status.FAILED
    assert (
        "PreparationError: the network cannot be captured as a CUDA graph (AcceleratorError: "
        f"CUDA error: {NOT_PERMITTED}"
    ) in ended.reason
    assert "write training.execution: eager" in ended.reason


@pytest.mark.parametrize(
    ("error", "works"),
    [
        (torch.AcceleratorError("CUDA error: an illegal memory access"), False),
        (torch.OutOfMemoryError("CUDA out of memory"), True),
    ],
)
def test_a_gpu_that_fails_or_is_full_while_it_captures_keeps_its_error(
    monkeypatch: pytest.MonkeyPatch, error: RuntimeError, *, works: bool
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr("search.engine.training.chosen", lambda *_, **__: "graphs")
    monkeypatch.setattr("search.engine.execution._made", fails)
    monkeypatch.setattr("search.engine.execution._responds", lambda _: works)
    ours = captured(execution="auto")
    with pytest.raises(type(error)) as seen:
        ours.epoch(trial=0)
    assert seen.value is error


def test_what_preparing_does_to_norms_is_undone_where_it_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = build(NETWORK).train()
    before = {name: value.clone() for name, value in network.named_buffers()}
    images = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))

    network.register_buffer("grid", torch.zeros(0))
    network.register_forward_pre_hook(
        lambda module, inputs: module.register_buffer("grid", inputs[0][0, 0].clone())
    )

    def fails(network: nn.Module, images: Tensor, _: str) -> None:
        network(images)
        raise AssertionError("Modules must not have hooks")  # as torch says it

    monkeypatch.setattr("search.engine.execution._made", fails)
    with pytest.raises(PreparationError):
        prepare(network, images, execution="graphs", precision="fp32")
    for name, value in before.items():
        assert torch.equal(network.get_buffer(name), value), name


def test_an_error_that_preparing_names_is_no_failure_of_the_gpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED")

    monkeypatch.setattr("search.engine.execution._made", fails)
    monkeypatch.setattr("search.tasks.memory._little_is_left", lambda: False)
    ours = captured(execution="graphs")
    with pytest.raises(PreparationError) as seen:
        ours.epoch(trial=0)
    monkeypatch.setattr("search.tasks.memory._little_is_left", lambda: True)
    raise_if_of_the_machine(seen.value)
    assert outcome(seen.value)[0] is Status.FAILED


@pytest.mark.parametrize("batch", [1, 32, 128, 4096])
@pytest.mark.parametrize("side", [8, 32, 224, 2000])
def test_scoring_takes_about_the_memory_of_training(batch: int, side: int) -> None:
    """On a GPU without gradients an eighth an image; on a CPU as many as it always was."""
    cut = recipe(batch_size=batch)
    assert scored_at_once(cut, side, gpu=False) == max(1, 2**20 // side**2)
    there = scored_at_once(cut, side, gpu=True)
    assert there >= scored_at_once(cut, side, gpu=False)
    assert there * side**2 <= max(2**23, side**2)
    assert there <= max(4 * batch, 2**20 // side**2, 1)


@pytest.mark.parametrize(
    ("name", "most"), [("resnext20_2c4w_8p", 1024), ("Res2NeXt-29-6c24w4s", 120)]
)
def test_a_cpu_scores_fewer_images_of_a_large_network_at_once(name: str, most: int) -> None:
    """Where memory is short a CPU cannot refuse: the system kills the process."""
    images = random_splits(images=8, side=32, held_out=most + 3)
    task = Classification(recipe(), images, device=CPU)
    task.network(parse(name), seed=0)
    seen: list[int] = []

    def forward(batch: Tensor) -> Tensor:
        seen.append(len(batch))
        return torch.zeros(len(batch), 4)

    task.scores(forward, "validation")
    assert seen == [most, 3]


def test_a_size_that_did_not_fit_is_not_tried_again() -> None:
    images = Classification(recipe(), random_splits(), device=CPU)
    seen: list[int] = []

    def forward(batch: Tensor) -> Tensor:
        seen.append(len(batch))
        if len(batch) > 12:
            raise torch.OutOfMemoryError("too many")
        return torch.zeros(len(batch), 4)

    whole = Classification(recipe(), random_splits(), device=CPU)
    expected = whole.scores(lambda batch: torch.zeros(len(batch), 4), "validation")
    assert images.scores(forward, "validation") == expected
    assert seen == [40, 20, 10, 10, 10, 10]
    images.scores(forward, "test")
    assert seen[6:] == [10] * 5
