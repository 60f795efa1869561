"""An error says what failed, where, and what to do about that; an unknown one gives no advice."""

import errno
import os
import re
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search import load_space, run_study
from search.run import main
from search.schema.files import in_words, replace_text
from search.schema.yaml import ConfigError
from search.train import main as train
from tests.search.spaces import TINY, load, write

# What is laid over TINY, and the one line that is said of it.
ONE_LINE = [
    (
        "training.jitter=[1]",
        r"training.jitter: is not a list of the right length; write one such as \[0.4, ",
    ),
    ("training.betas=[0.9]", r"training.betas: is not a list of the right length"),
    (
        "training.resized_crop=[0.1]",
        r"training.resized_crop: is not a list of the right length",
    ),
    ("training.warmup=99", r"training.warmup: 99 takes the whole training, 3 epochs; lower it"),
    ("training.accumulate=999", r"training.accumulate: 999 cuts a batch of \d+ into pieces"),
    (
        "scheduler.name=x",
        r"scheduler: 'x' is not a known scheduler; write fifo or asha or hyperband or ",
    ),
    ("task.options={a: 1}", r"task: has keys but no name; add it: {name: classification or "),
    ("search.trials=0", r"search.trials: 0 is not above 0; write a number that is, or all"),
    ("search.trials=-3", r"search.trials: -3 is not above 0; write a number that is, or all"),
    (
        "search.trials=many",
        r"search.trials: 'many' is not a whole number or all; write, for example, 8 or all",
    ),
    ("search.trials=1.5", r"search.trials: 1.5 is not a whole number or all"),
    (
        "search.trials=all",
        (
            r"search.trials: 'all' is only for samplers that end by themselves, which random "
            r"does not; write a number"
        ),
    ),
    (
        "search.base={depth: deep}",
        (
            r"search.base.depth: 'deep' is not a whole number or a list; write, for example, "
            r"8 or \[2, 4\]"
        ),
    ),
    ("search.base={depth: [3, x]}", r"search.base.depth.1: 'x' is not a whole number"),
    ("search.base={scale: {a: 1}}", r"search.base.scale: is not a whole number or a list"),
    (
        "budget=60M",
        r"budget: '60M' is not a section; write budget: {macs: ..., params: ..., activations: ...}",
    ),
    ("budget.macs=60M", r"budget.macs: '60M' is not a section; write macs: {max: 60M}"),
    (
        "confirm=3",
        r"confirm: 3 is not a section; write confirm: {top: ..., seeds: ..., epochs: ...}",
    ),
    (
        "data=cifar10",
        r"data: 'cifar10' is not a section; write data: {name: digits, validation: 240}",
    ),
    (
        "search.objectives=val_error",
        r"search.objectives: 'val_error' is not a list; put it in brackets: \[val_error\]",
    ),
    (
        "budget.macs={min: 2K, max: 1K}",
        r"budget.macs: min 2,000 is above max 1,000; lower min or raise max",
    ),
    (
        "data.batch_size=3",
        r"data.batch_size: is not a key here, but one of training; move it there",
    ),
    ("epochs=3", r"epochs: is not a key here, but one of training and confirm; move it there"),
    ("network.seed=1", r"network.seed: is not a key here, but one of search; move it there"),
    (
        "budget.max=60M",
        r"budget.max: is not a key here, but one of budget.macs and budget.params",
    ),
    ("study=2024", r"study: 2024 is not a word; write --set 'study=\"2024\"'"),
    ("confirm={top: 1, seeds: 2}", r"confirm.epochs: is missing; add it"),
    (
        "scheduler={name: asha, options: {grace: x}}",
        r"scheduler.grace: 'x' is not a whole number",
    ),
]


@pytest.mark.parametrize(("override", "message"), ONE_LINE, ids=[each[0] for each in ONE_LINE])
def test_one_line_with_the_key_as_it_is_written(
    tmp_path: Path, override: str, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path), (override,))
    said = str(caught.value)
    assert len(said.splitlines()) == 1, said
    assert re.match(rf"--set {re.escape(override)}: {message}", said), said


KEYS = st.sampled_from(["trials", "seeds", "sampler", "base", "objectives", "solve", "seed"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["all", "x", "3"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["depth", "name", "int"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(key=KEYS, value=VALUES)
def test_no_member_of_a_union_is_ever_named(key: str, value: object) -> None:
    """Whatever stands there: each place once, in the file's own keys."""
    space = {
        "study": "x",
        "network": {"width": 1, "depth": 11},
        "data": {"name": "synthetic", "validation": 64},
        "training": {"epochs": 1},
        "search": {"sampler": "grid", key: value},
    }
    try:
        load_space(space)
    except ConfigError as error:
        lines = str(error).splitlines()
        places = [line.split(": ")[1] for line in lines]
        assert len({*places}) == len(places), lines
        for place in places:
            assert re.fullmatch(r"search(\.(\w+|\d+))*", place), place
            assert not re.search(r"\.(int|str|constrained|tuple)$", place) or "int" in str(
                value
            )


def test_a_command_without_a_file_names_its_options(
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = [
        "resnet11_2w_2p_4classes",
        "--epochs",
        "0",
        "--seeds",
        "0",
        "--data",
        "synthetic",
    ]
    assert train(command) == 2
    epochs, seeds = capsys.readouterr().err.splitlines()
    assert epochs.startswith("--epochs 0: training.epochs: 0 is not a whole number")
    assert seeds.startswith("--seeds 0: search.seeds: 0 is not above 0")
    assert train([*command[:-1], "nope"]) == 2
    assert "--data nope: data.name: 'nope' is not a known data set" in capsys.readouterr().err


@given(number=st.sampled_from(sorted(errno.errorcode)))
def test_room_is_advised_where_room_is_lacking_and_nowhere_else(number: int) -> None:
    said = in_words(OSError(number, os.strerror(number), "some/file"))
    assert said.startswith(f"some/file: {os.strerror(number)}")
    assert ("room" in said) == (number in (errno.ENOSPC, errno.EDQUOT))


def test_hours_of_another_machine_are_not_measured_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(write(tmp_path)), "--plan", "--measure", "--address", "auto"]) == 2
    assert "--measure: times this machine, not those of --address" in capsys.readouterr().err


def test_a_file_system_that_syncs_no_folders_takes_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As some network mounts, which say that the argument is invalid."""
    sync = os.fsync

    def refuse(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        sync(descriptor)

    monkeypatch.setattr("search.schema.files.os.fsync", refuse)
    replace_text(tmp_path / "file", "text")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "text"


def test_an_unknown_error_is_shown_as_it_is() -> None:
    assert in_words(OSError("the flux is gone")) == "the flux is gone"
    assert in_words(OSError(errno.EIO, "Input/output error", "x")) == "x: Input/output error"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.mkdir(), r"space.yaml: Is a directory; a folder is where"),
        (lambda path: path.symlink_to(path), r"space.yaml: Too many levels of symbolic links$"),
        (lambda path: None, r"space.yaml: cannot be read \(No such file .* are in spaces/"),
    ],
    ids=["folder", "loop", "missing"],
)
def test_a_space_that_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make: object, message: str
) -> None:
    make(tmp_path / "space.yaml")  # type: ignore[operator]
    assert main([str(tmp_path / "space.yaml"), "--plan"]) == 2
    said = capsys.readouterr().err.strip()
    assert re.search(message, said), said


def test_a_journal_that_is_a_folder_is_no_full_disk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    (out / "journal.jsonl").mkdir(parents=True)
    assert main([str(write(tmp_path, TINY)), "--inline", "--out", str(out)]) == 1
    said = capsys.readouterr().err
    assert (
        f"{out / 'journal.jsonl'}: Is a directory; a folder is where a file should be" in said
    )
    assert "room" not in said


def test_a_folder_is_not_called_after_a_variable_that_has_no_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOWHERE_SET", raising=False)
    with pytest.raises(SystemExit) as ended:
        main([str(write(tmp_path, TINY)), "--inline", "--out", f"{tmp_path}/$NOWHERE_SET/run"])
    assert ended.value.code == 2
    assert "--out: $NOWHERE_SET is not set here; set it, or write" in capsys.readouterr().err
    with pytest.raises(ConfigError, match=r"out: \$NOWHERE_SET is not set here; set it"):
        run_study(tmp_path / "space.yaml", out=f"{tmp_path}/$NOWHERE_SET/run")
    assert [path.name for path in tmp_path.iterdir()] == ["space.yaml"]
