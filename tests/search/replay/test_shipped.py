"""The table that comes with the project: whole, true to its journal, trained again the same."""

import gzip
import tomllib
from pathlib import Path

import pytest

from search.executors.again import train_again
from search.replay.results import Cell, CellEpoch, Source
from search.replay.sources import shipped_table, source_of
from search.run import main
from search.study.events import Ended, Epoch, Started, Status
from search.study.journal import read
from search.study.processor import is_same_kind
from search.study.records import record_of

ROOT = Path(__file__).parents[3]
SPACE = "spaces/digits_table.yaml"


@pytest.fixture(scope="module")
def source() -> Source:
    return source_of("digits")


def test_every_network_of_the_space_is_in_it_with_every_seed_and_epoch(source: Source) -> None:
    assert len(source.cells) >= 500
    for dimension in ("depth", "cardinality", "scale", "width"):
        assert len({getattr(network, dimension) for network in source.cells}) >= 4
    assert {len(ones) for ones in source.cells.values()} == {2}
    cells = [cell for ones in source.cells.values() for cell in ones]
    assert {cell.status for cell in cells} == {Status.OK}
    assert {len(cell.epochs) for cell in cells} == {8}
    assert {"test_error", "val_error"} < {*cells[0].metrics}


def test_it_is_what_its_journal_says(source: Source) -> None:
    """The journal lies beside it, packed, every line with its checksum."""
    packed = (shipped_table() / "journal.jsonl.gz").read_bytes()
    lines = gzip.decompress(packed).splitlines()
    records = [record_of(line) for line in lines[1:]]
    starts = {one.trial: one for one in records if isinstance(one, Started)}
    epochs: dict[int, list[CellEpoch]] = {}
    for one in records:
        if isinstance(one, Epoch):
            reported = CellEpoch(one.metrics, one.seconds, one.images_per_s)
            epochs.setdefault(one.trial, []).append(reported)
    ends = [one for one in records if isinstance(one, Ended)]
    assert len(ends) == len(starts) == sum(map(len, source.cells.values()))
    for end in ends:
        started = starts[end.trial]
        told = Cell(tuple(epochs[end.trial]), end.status, end.reason, end.metrics, end.device)
        assert source.cells[started.network()][started.repeat] == told


def test_its_space_is_replayed_by_a_word(tmp_path: Path) -> None:
    search = "--set=search={sampler: random, trials: 60, seed: 3}"
    replayed = [SPACE, "--set=execution=replay", search]
    assert main([*replayed, f"--out={tmp_path / 'whole'}"]) == 0
    assert main([*replayed, "--set=scheduler=asha", f"--out={tmp_path / 'asha'}"]) == 0
    whole, early = (
        [one for one in read(tmp_path / name) if isinstance(one, Ended)]
        for name in ("whole", "asha")
    )
    assert {one.status for one in whole} == {Status.OK}
    assert {one.status for one in early} == {Status.OK, Status.PRUNED}
    assert early[-1].time < whole[-1].time / 2, "it saves time, of the simulated kind"


def test_trained_again_it_is_the_same(source: Source) -> None:
    """To the bit on a CPU of the kind that trained it; others may round otherwise."""
    assert source.plan is not None
    cells = source.cells
    quickest = sorted(cells, key=lambda one: sum(e.seconds for e in cells[one][0].epochs))
    (one,) = train_again(source, source.plan, [(quickest[0], 1)], ROOT / "data")
    if is_same_kind(source.processor):
        assert not one.differences
    else:  # points of error between two roundings of so short a training
        errors = [far for name, far in one.differences.items() if "error" in name]
        assert all(far < 15 for far in errors)


def test_an_installed_package_holds_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["search"]
    packed = {path for pattern in patterns for path in (ROOT / "search").glob(pattern)}
    there = {path for path in shipped_table().rglob("*") if path.is_file()}
    assert there <= packed
    assert sum(path.stat().st_size for path in there) < 2_000_000, "a guest in the repository"
