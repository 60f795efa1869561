"""Captions of a run's figures: true of one network, of none, and of any metric."""

from pathlib import Path

from analysis.pages.run_figures import drawings
from search.study.events import Status
from tests.analysis.made import made, network


def test_one_is_not_written_as_many(tmp_path: Path) -> None:
    rows = [
        {"network": network(1), "val_error": 10.0, "curve": [50.0, 30.0, 10.0]},
        {"network": network(2), "status": Status.PRUNED, "val_error": 50.0},
    ]
    front, curves = drawings(made(tmp_path / "one", rows, "scheduler=asha"))
    start = "1 network trained to the end, which is on the Pareto front"
    assert start in front.caption
    assert ", of one seed. " in front.caption
    assert front.caption.endswith(" The cross is 1 trial that ended early.")
    assert "of 1 trial." in curves.caption
    front, curves = drawings(made(tmp_path / "none", []))
    assert "0 networks trained to the end, 0 of them on the Pareto front" in front.caption
    assert "seed" not in front.caption.partition("networks trained")[2].partition(".")[0]
    assert "median is" not in curves.caption


def test_small_scores_keep_their_digits(tmp_path: Path) -> None:
    rows = [
        {"network": network(width), "metrics": {"val_score": 0.00123 * width}}
        for width in (1, 2)
    ]
    run = made(tmp_path, rows, "task=tests.analysis.foreign:Scored")
    front, curves = drawings(run)
    assert "validation score 0.00123 to 0.00246" in front.alt
    assert "nan" not in curves.caption
