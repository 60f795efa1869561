"""A trial: a function of its arguments, and every way to fail is a named outcome."""

import errno
import json
import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from res2net import Architecture, build, parse
from res2net.errors import WeightsError
from search.engine.bench import Bench, device_kind
from search.engine.failures import LostError
from search.engine.training import Trainer
from search.engine.trial import Trial
from search.schema.seals import opened_file, write_file
from search.space.configuration import architecture_to_json
from search.study.checkpoints import checkpoint_paths, remove_checkpoints, tidy_checkpoints
from search.study.events import Ended, Epoch, Started, Status
from search.study.processor import processor
from search.tasks.memory import keep_freed_memory
from tests.search.engine.benches import bench_on, recipe, synthetic
from tests.search.spaces import started_fields

NETWORK = parse("res2next11_2c2w3s_2p_4classes")


@pytest.fixture(scope="module")
def bench() -> Bench:
    return bench_of(lr=0.1)


def bench_of(device: str = "cpu", **changes: object) -> Bench:
    return bench_on(recipe(**{"epochs": 4, **changes}), synthetic(), torch.device(device))


def start(network: Architecture = NETWORK, **changes: object) -> Started:
    fields = {
        "name": network.name,
        "architecture": architecture_to_json(network),
        "epochs": 4,
    }
    return Started(**started_fields(**(fields | changes)))


def trial_of(
    bench: Bench, folder: Path, started: Started | None = None, *, reported: int = 0
) -> Trial:
    return Trial(
        started or start(),
        bench=bench,
        checkpoint=folder / "checkpoints/0.pt",
        reported=reported,
    )


def finish(trial: Trial) -> tuple[list[Epoch], Ended]:
    epochs = []
    while True:
        epoch, ended = trial.step()
        if epoch is not None:
            epochs.append(epoch)
        if ended is not None:
            return epochs, ended


@pytest.fixture(scope="module")
def whole(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Epoch], Ended]:
    """What a trial reports that nothing disturbs, with which the others are compared."""
    return finish(trial_of(bench, tmp_path_factory.mktemp("whole")))


def numbers(epochs: list[Epoch]) -> list[tuple[int, float, float]]:
    return [
        (epoch.epoch, epoch.metrics["train_loss"], epoch.metrics["val_error"])
        for epoch in epochs
    ]


def test_a_trial_learns_and_tests_once_at_its_end(bench: Bench, tmp_path: Path) -> None:
    network = parse("res2next11_2c4w3s_8p_4classes")
    epochs, ended = finish(trial_of(bench, tmp_path, start(network)))
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3, 4]
    assert ended.status is Status.OK
    assert ended.epochs == 4
    assert ended.metrics["val_error"] == epochs[-1].metrics["val_error"]
    assert ended.metrics["test_error"] < 10
    assert ended.seconds == pytest.approx(sum(epoch.seconds for epoch in epochs))


@pytest.mark.parametrize("stopped_after", [0, 1, 2, 3])
def test_stopped_anywhere_it_goes_on_bit_for_bit(
    bench: Bench, whole: tuple[list[Epoch], Ended], tmp_path: Path, stopped_after: int
) -> None:
    expected, end = whole
    first = trial_of(bench, tmp_path)
    before = [first.step()[0] for _ in range(stopped_after)]
    first.save()
    after, again = finish(trial_of(bench, tmp_path, reported=stopped_after))
    assert numbers([epoch for epoch in before if epoch] + after) == numbers(expected)
    assert again.metrics == end.metrics


def test_epochs_that_a_stop_kept_from_being_reported_are_reported_first(
    bench: Bench, tmp_path: Path
) -> None:
    first = trial_of(bench, tmp_path)
    before = [first.step()[0] for _ in range(3)]
    first.save()
    after, _ = finish(trial_of(bench, tmp_path, reported=1))
    assert after[:2] == before[1:], "word for word, their seconds too"
    assert [epoch.epoch for epoch in after] == [2, 3, 4]


@pytest.mark.parametrize("turns", [1, 5, 13, 23])
def test_stopped_in_the_middle_of_an_epoch_it_goes_on_bit_for_bit(
    bench: Bench,
    whole: tuple[list[Epoch], Ended],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    turns: int,
) -> None:
    """A turn of no time is one step; there are six an epoch."""
    expected, end = whole
    monkeypatch.setattr("search.engine.trial._TURN_SECONDS", 0.0)
    first = trial_of(bench, tmp_path)
    before = [epoch for epoch, _ in (first.step() for _ in range(turns)) if epoch]
    assert len(before) == turns // 6
    first.save()
    after, again = finish(trial_of(bench, tmp_path, reported=len(before)))
    assert numbers(before + after) == numbers(expected)
    assert again.metrics == end.metrics


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
def test_a_peak_is_of_one_trial_and_not_of_those_before(bench: Bench, tmp_path: Path) -> None:
    """A worker trains one network after another, and keeps freed memory while it trains."""
    keep_freed_memory()
    before = [torch.ones(2**18) for _ in range(600)]  # 600 MiB in parts, as of a large network
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    del before
    _, ended = finish(trial_of(bench, tmp_path))
    assert ended.taken is not None
    assert ended.taken.peak_memory is not None
    assert ended.taken.peak_memory < pages * os.sysconf("SC_PAGE_SIZE") - 400 * 2**20


def test_what_a_trial_took_is_told(bench: Bench, tmp_path: Path) -> None:
    epochs, ended = finish(trial_of(bench, tmp_path))
    taken = ended.taken
    assert taken is not None
    assert taken.images_per_s is not None
    rates = [epoch.images_per_s for epoch in epochs]
    assert min(rates) <= taken.images_per_s <= max(rates)
    assert taken.peak_memory is not None
    assert 10**8 < taken.peak_memory < 10**11, "a process with torch in it"
    assert (taken.execution, taken.parts) == ("eager", 1)
    if bench.device.type == "cpu":
        assert taken.energy is None
        assert taken.utilisation is None


def test_a_checkpoint_is_whole_or_not_at_all(bench: Bench, tmp_path: Path) -> None:
    trial = trial_of(bench, tmp_path)
    trial.step()
    trial.save()
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["0.pt"]


def test_the_weights_that_were_scored_are_kept(bench: Bench, tmp_path: Path) -> None:
    """Loaded by anybody they give the error that was reported, exactly."""
    path = tmp_path / "networks/a-seed0.safetensors"
    trial = Trial(start(), bench=bench, checkpoint=tmp_path / "0.pt", weights=path)
    _, ended = finish(trial)
    network = build(NETWORK, weights=path).eval()
    assert ended.metrics["test_error"] == bench.task.scores(network, "test")["error"]
    about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert about["metrics"] == ended.metrics
    assert len(about["mean"]) == len(about["std"]) == 3
    assert Architecture(**about["architecture"]) == NETWORK


def test_weights_of_which_a_bit_flipped_are_not_loaded(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "networks/a-seed0.safetensors"
    finish(Trial(start(), bench=bench, checkpoint=tmp_path / "0.pt", weights=path))
    whole = path.read_bytes()
    for at in (len(whole) - 1, len(whole) // 2, 100):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(WeightsError, match=r"is damaged, or not the file .*; restore both"):
            build(NETWORK, weights=path)
    path.write_bytes(whole)
    build(NETWORK, weights=path)


def saved_twice(bench: Bench, folder: Path) -> tuple[Path, Path]:
    """Checkpoints after the second and the first epoch."""
    trial = trial_of(bench, folder)
    for _ in range(2):
        trial.step()
        trial.save()
    return checkpoint_paths(folder / "checkpoints/0.pt")


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_where_the_newest_checkpoint_is_damaged_the_one_before_is_taken(
    bench: Bench, whole: tuple[list[Epoch], Ended], tmp_path: Path
) -> None:
    """It comes to the same result, and reports again what was reported."""
    expected, end = whole
    newest, before = saved_twice(bench, tmp_path)
    flipped(newest)
    sound = before.read_bytes()
    trial = trial_of(bench, tmp_path, reported=2)
    first, _ = trial.step()
    assert first is not None
    assert first.epoch == 2, "from after the first"
    trial.save()
    assert before.read_bytes() == sound, "a damaged one never takes its place"
    after, again = finish(trial)
    assert numbers([first, *after]) == numbers(expected[1:])
    assert again.metrics == end.metrics


def test_where_both_checkpoints_are_damaged_it_begins_anew(
    bench: Bench, whole: tuple[list[Epoch], Ended], tmp_path: Path
) -> None:
    expected, end = whole
    for path in saved_twice(bench, tmp_path):
        flipped(path)
    epochs, again = finish(trial_of(bench, tmp_path, reported=2))
    assert numbers(epochs) == numbers(expected)
    assert again.metrics == end.metrics


def test_a_checkpoint_that_cannot_be_read_now_is_no_reason_to_begin_anew(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a file system that is gone for a moment: the trial is tried again later."""
    saved_twice(bench, tmp_path)

    def gone(path: Path) -> None:
        raise TimeoutError(errno.ETIMEDOUT, "Connection timed out", str(path))

    monkeypatch.setattr("search.study.checkpoints.opened_file", gone)
    with pytest.raises(LostError, match="Connection timed out"):
        trial_of(bench, tmp_path, reported=2).step()
    monkeypatch.undo()
    first, _ = trial_of(bench, tmp_path, reported=2).step()
    assert first is not None
    assert first.epoch == 3


@pytest.mark.parametrize("name", ["NVIDIA A100-SXM4-40GB", "a CPU of the same name"])
def test_a_trial_does_not_go_on_from_the_checkpoint_of_another_kind_of_device(
    bench: Bench, whole: tuple[list[Epoch], Ended], tmp_path: Path, name: str
) -> None:
    other = f"cpu ({processor()}, able to other things)" if "same" in name else name
    expected, end = whole
    assert end.device
    paths = saved_twice(bench, tmp_path)
    for path in paths:
        with opened_file(path) as file:
            state = torch.load(file, weights_only=True)
        assert state["device"] == device_kind(bench.device)
        state["device"] = other
        write_file(path, lambda file, state=state: torch.save(state, file))
    epochs, again = finish(trial_of(bench, tmp_path, reported=2))
    assert numbers(epochs) == numbers(expected), "all from this device"
    assert again.metrics == end.metrics
    assert f"another kind of device ({other})" in again.reason


def test_a_full_disk_costs_no_checkpoint_that_was_there(bench: Bench, tmp_path: Path) -> None:
    """A limit on the size of files fails writes as a full disk does, in the middle of one."""
    paths = saved_twice(bench, tmp_path)
    there = [path.read_bytes() for path in paths]
    trial = trial_of(bench, tmp_path, reported=2)
    trial.step()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(there[0]) // 2, before[1]))
    try:
        trial.try_to_save()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path.read_bytes() for path in paths] == there
    assert len(list(paths[0].parent.iterdir())) == 2, "no part is left"
    trial.try_to_save()
    assert [path.read_bytes() for path in paths] != there, "there is room again"


def test_what_a_trial_saved_goes_with_it(bench: Bench, tmp_path: Path) -> None:
    newest, before = saved_twice(bench, tmp_path)
    (newest.parent / "1.pt").touch()
    (newest.parent / "0.pt.7.part").touch()
    tidy_checkpoints(tmp_path, {0})
    assert set(newest.parent.iterdir()) == {newest, before}
    remove_checkpoints(newest)
    assert not list(newest.parent.iterdir())


def test_a_worker_that_was_given_up_and_saves_late_costs_nothing(
    bench: Bench, whole: tuple[list[Epoch], Ended], tmp_path: Path
) -> None:
    """The newest checkpoint is the late one; the one before it goes further."""
    given_up = trial_of(bench, tmp_path)
    given_up.step()
    given_up.save()
    other = trial_of(bench, tmp_path, reported=1)
    for _ in range(2):
        other.step()
    other.save()
    written = {path: path.read_bytes() for path in (tmp_path / "checkpoints").iterdir()}
    given_up.save()
    other.save()
    assert written == {path: path.read_bytes() for path in written}, "nothing new to save"
    given_up._kept = (0, 0.0)
    given_up.save()
    epochs, ended = finish(trial_of(bench, tmp_path, reported=3))
    assert numbers(epochs) == numbers(whole[0][3:])
    assert ended.metrics == whole[1].metrics


@pytest.fixture(scope="module")
def two_epochs(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[Epoch], Ended]:
    """A trial that nothing disturbs."""
    return finish(trial_of(bench, tmp_path_factory.mktemp("whole"), start(epochs=2)))


DAMAGES = {
    "empty": lambda whole: b"",
    "cut": lambda whole: whole[:1000],
    "half": lambda whole: whole[: len(whole) // 2],
    "tail": lambda whole: whole[:-10],
    "text": lambda whole: b"no checkpoint at all",
    "zeros": lambda whole: bytes(len(whole)),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_checkpoint_costs_time_not_the_trial(
    bench: Bench,
    two_epochs: tuple[list[Epoch], Ended],
    tmp_path: Path,
    damage: Callable[[bytes], bytes],
) -> None:
    trial = trial_of(bench, tmp_path, start(epochs=2))
    trial.step()
    trial.save()
    path = tmp_path / "checkpoints/0.pt"
    path.write_bytes(damage(path.read_bytes()))
    epochs, ended = finish(trial_of(bench, tmp_path, start(epochs=2)))
    assert numbers(epochs) == numbers(two_epochs[0])
    assert ended.metrics == two_epochs[1].metrics


@pytest.mark.parametrize("other", [{"epochs": 3}, [1, 2]])
def test_a_file_that_is_no_checkpoint_is_left_aside(
    bench: Bench, two_epochs: tuple[list[Epoch], Ended], tmp_path: Path, other: object
) -> None:
    (tmp_path / "checkpoints").mkdir()
    torch.save(other, tmp_path / "checkpoints/0.pt")
    epochs, ended = finish(trial_of(bench, tmp_path, start(epochs=2)))
    assert numbers(epochs) == numbers(two_epochs[0])
    assert ended.metrics == two_epochs[1].metrics


def test_a_checkpoint_that_cannot_be_written_costs_no_trial(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.engine.trial._CHECKPOINT_SECONDS", 0.0)
    (tmp_path / "checkpoints").write_text("a file where the folder should be")
    epochs, ended = finish(trial_of(bench, tmp_path, start(epochs=2)))
    assert len(epochs) == 2
    assert ended.status is Status.OK


def test_a_trial_saved_after_its_last_epoch_only_tests(bench: Bench, tmp_path: Path) -> None:
    trial = trial_of(bench, tmp_path)
    trained, end = finish(trial)
    trial.save()
    epochs, again = finish(trial_of(bench, tmp_path, reported=3))
    assert epochs == trained[3:], "with its seconds: it was not trained again"
    assert (again.status, again.metrics) == (Status.OK, end.metrics)


def test_a_checkpoint_of_another_trial_is_left_aside(bench: Bench, tmp_path: Path) -> None:
    trial = trial_of(bench, tmp_path)
    trial.step()
    trial.save()
    other = trial_of(bench, tmp_path, start(seed=2))
    assert finish(other)[0][0].epoch == 1


def test_a_network_with_a_value_for_each_stage_goes_on_from_its_checkpoint(
    bench: Bench, tmp_path: Path
) -> None:
    """Also where its start was decided here before, and is read from the journal now."""
    decided = start(parse("res2net11_2w1.2.3s_2p_4classes"))
    trial = trial_of(bench, tmp_path, decided)
    trial.step()
    trial.save()
    read = Started.from_json(json.loads(json.dumps(decided.to_json())))
    epochs, _ = finish(trial_of(bench, tmp_path, read, reported=1))
    assert [epoch.epoch for epoch in epochs] == [2, 3, 4]


def test_a_checkpoint_holds_tensors_and_nothing_that_runs(bench: Bench, tmp_path: Path) -> None:
    trial = trial_of(bench, tmp_path)
    trial.step()
    trial.save()
    state = torch.load(tmp_path / "checkpoints/0.pt", weights_only=True)
    assert [epoch["epoch"] for epoch in state["epochs"]] == [1]


def test_divergence_is_an_outcome(tmp_path: Path) -> None:
    epochs, ended = finish(trial_of(bench_of(lr=1e30), tmp_path))
    assert epochs == []
    assert (ended.status, ended.epochs) == (Status.DIVERGED, 0)
    assert "the training loss of epoch 1 is" in ended.reason
    assert ended.metrics == {}


def test_weights_that_blow_up_in_the_last_step_are_a_divergence(tmp_path: Path) -> None:
    once = start(epochs=1)
    _, ended = finish(trial_of(bench_of(lr=1e30, batch_size=1000), tmp_path, once))
    assert ended.status is Status.DIVERGED
    assert "not finite" in ended.reason


def test_memory_that_is_not_there_is_an_outcome(bench: Bench, tmp_path: Path) -> None:
    """A width that asks for 300 TB, more than 47 bits address; a GPU fails there too."""
    wide = start(Architecture(depth=11, planes=2, width=3 * 10**6, classes=4))
    _, ended = finish(trial_of(bench, tmp_path, wide))
    assert ended.status is Status.OUT_OF_MEMORY
    assert "memory" in ended.reason


def test_any_other_error_is_an_outcome_with_its_place(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Trainer, *, trial: int, seconds: float) -> Epoch:
        raise ValueError("a wire\n  came loose")

    monkeypatch.setattr(Trainer, "epoch", broken)
    _, ended = finish(trial_of(bench, tmp_path))
    assert ended.status is Status.FAILED
    assert ended.reason.startswith("ValueError: a wire came loose (test_trial.py:")
