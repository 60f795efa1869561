"""Timing one network: what is said of it is what was run."""

import gc
import json
import time
from collections.abc import Iterator

import pytest
import torch

from res2net import parse
from res2net.__main__ import main
from res2net.timing import TimingError, time_batches

TINY = "res2net1.1.1_2w2s_2p"


@pytest.fixture(autouse=True)
def nothing_to_collect() -> Iterator[None]:
    """Before each time garbage is collected, among all that the other tests have imported."""
    gc.freeze()
    yield
    gc.unfreeze()


def test_passes_and_batches_are_timed_one_by_one() -> None:
    begin = time.perf_counter()
    timing = time_batches(parse(TINY), [1, 3], device="cpu", image_size=8, seconds=0.05)
    spent = time.perf_counter() - begin
    assert [(row.what, row.batch) for row in timing.rows] == [
        ("inference", 1), ("training step", 1), ("inference", 3), ("training step", 3),
    ]  # fmt: skip
    assert f"torch {torch.__version__}" in timing.device
    for row in timing.rows:
        assert 0 < row.low <= row.median <= row.high
        assert row.images_per_s == pytest.approx(row.batch / row.median)
        assert 5 <= row.runs <= 100
        assert row.runs * row.low < spent
        assert row.memory is None or row.memory >= 0


@pytest.mark.slow
def test_a_larger_batch_takes_more_memory() -> None:
    timing = time_batches(
        parse("resnet1.1.1_4w_4p"), [1, 64], device="cpu", image_size=32, seconds=0.0
    )
    small, large = (row.memory for row in timing.rows if row.what == "training step")
    if small is None or large is None:
        pytest.skip("this system does not say what a process takes")
    assert large > small + 5 * 2**20  # 64 images keep some 20 MB of activations


@pytest.mark.slow
def test_the_command_prints_json_and_a_table_has_a_row_a_pass(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("res2net.timing._MOST", 6)  # runs: the numbers are not looked at
    assert main([TINY, "--channels", "1", "--image-size", "8", "--time", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["channels"] == 1
    assert [row["batch"] for row in facts["timed"]] == [1, 1, 32, 32]
    assert main([TINY, "--image-size", "8", "--time", "--batch", "2"]) == 0
    shown = capsys.readouterr().out
    assert "images/s" in shown
    assert shown.count("training step") == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_device_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([TINY, "--time", "--device", "cuda"]) == 2
    assert "--device: there is no GPU that torch can use; write cpu" in capsys.readouterr().err
    with pytest.raises(TimingError):
        time_batches(parse(TINY), [1], device="cuda", image_size=8)


@pytest.mark.parametrize(
    "asked",
    [
        ["--batch", "2"],
        ["--time", "--receptive-fields"],
        ["--device", "cpu"],
        ["--time", "--batch", "0"],
        ["--time", "--batch", ","],
    ],
)
def test_options_that_mean_nothing_are_refused(asked: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([TINY, *asked])
    assert ended.value.code == 2


def test_one_image_that_leaves_a_norm_one_number_is_not_trained_on() -> None:
    tiny = parse("resnet1.1.1.1_2w_2p")
    timing = time_batches(tiny, [1, 2], device="cpu", image_size=16, seconds=0.0)
    assert [(row.what, row.batch) for row in timing.rows] == [
        ("inference", 1), ("inference", 2), ("training step", 2),
    ]  # fmt: skip


def test_a_batch_that_no_memory_holds_is_said() -> None:
    for batch in (10**12, 10**17):
        with pytest.raises(TimingError, match=r"--batch: 1\d+ images of 8 pixels do not fit"):
            time_batches(parse(TINY), [batch], device="cpu", image_size=8)
    with pytest.raises(TimingError, match=r"1000000000w_2p: does not fit into the memory of"):
        time_batches(parse("resnet11_1000000000w_2p"), [1], device="cpu", image_size=8)
