"""The series of candidates on axes: those that the analysis finds in the trials afterwards."""

from pathlib import Path

import pytest

from analysis.questions.series import points
from analysis.runs.run import read_run
from search.space.members import members_of
from tests.analysis.studied import FIG5, write_run
from tests.search.spaces import TINY, resolved_of

SOLVED = """\
study: solved
network: {planes: 8, depth: [20, 29, 38, 47], scale: [1, 2, 3], cardinality: [1, 2], width: 2}
budget: {macs: {max: 5M}}
data: {name: cifar100, validation: 5000}
training: {epochs: 2}
search: {sampler: axes, solve: depth}
"""


@pytest.mark.parametrize(("text", "solved"), [(FIG5, None), (SOLVED, "depth")])
def test_series_are_those_of_the_trials(tmp_path: Path, text: str, solved: str | None) -> None:
    run = read_run(write_run(tmp_path / "run", lambda started: 20.0, text=text))
    found = points(run).drop_duplicates("name").set_index("name")
    members = members_of(resolved_of(tmp_path, text).survey, solved=solved)
    assert {one.name for one in members} == {*found.index}
    for one in members:
        row = found.loc[one.name]
        assert (one.series, one.params, one.macs) == (row.series, row.params, row.macs)
        assert one.series == "base" or one.label == row.label
        assert one.size("params") == row.params


def test_without_axes_there_are_no_series(tmp_path: Path) -> None:
    assert members_of(resolved_of(tmp_path, TINY).survey) == []
