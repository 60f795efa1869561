"""The paper's tables: what we count against what is printed and what others counted."""

import dataclasses

import pytest

from res2net import cost, parse
from res2net.__main__ import main
from res2net.published import matches, published
from tests.conftest import reference

IMAGENET = reference("imagenet")
CIFAR = [row for row in reference("cifar100") if row["cardinality"]]
ROWS = {(row.table, row.name): row for row in published()}


@pytest.mark.parametrize("row", IMAGENET, ids=lambda row: row["name"])
def test_imagenet_parameters_are_exact_and_macs_as_printed(row: dict[str, str]) -> None:
    """No row is skipped; where nobody published a count, the printed error is compared."""
    mine = ROWS["imagenet", row["name"]]
    published = mine.as_published()
    assert mine.params_m == (row["params_m_printed"] or None)
    assert mine.gmacs == (row["gmacs_printed"] or None)
    assert mine.top1_error == float(row["top1_error_pct"])
    if row["params_counted"]:
        assert published.params == int(row["params_counted"])
    if row["gmacs_counted"]:
        assert published.macs / 1e9 == pytest.approx(float(row["gmacs_counted"]), abs=0.003)


def test_dla_s_idle_projections_are_not_ours() -> None:
    """297,472 parameters that the published code computes with and then forgets."""
    for name in ("Res2Net-DLA-60", "Res2NeXt-DLA-60"):
        row = ROWS["imagenet", name]
        assert row.as_published().params - row.counted().params == 297_472
        assert "never used" in row.note


def test_big_little_is_its_authors() -> None:
    """Independent counts of IBM's module, and of the one with the Res2Net block in it."""
    assert cost(parse("bLResNet-50")).params == 26_694_568
    assert cost(parse("bLResNet-50")).macs / 1e9 == pytest.approx(2.856, abs=1e-3)
    counted = {n: cost(parse(f"bLRes2Net-50-{n}w-4s")) for n in (24, 26)}
    assert [round(c.params / 1e6, 2) for c in counted.values()] == [24.81, 26.85]
    assert [round(c.macs / 1e9, 2) for c in counted.values()] == [2.81, 2.99]


def test_the_deep_v1b_networks() -> None:
    assert cost(parse("Res2Net-v1b-152")).params == 61_294_480
    assert cost(parse("res2net200_v1d_26w_4s")).params == 76_215_536


@pytest.mark.parametrize("row", CIFAR, ids=lambda row: row["name"])
def test_cifar_parameters_and_macs(row: dict[str, str]) -> None:
    network = parse(row["name"])
    with_ten = dataclasses.replace(network, classes=10)
    assert cost(with_ten) == ROWS["cifar100", row["name"]].counted()
    assert cost(network).params == pytest.approx(
        int(row["params_counted_100_classes"]), abs=1e3
    )
    if row["se"] == "0":
        counted = int(row["params_counted_10_classes"])
        assert cost(with_ten).params == pytest.approx(counted, abs=1e3)
        assert cost(network).macs / 1e9 == pytest.approx(float(row["gmacs_counted"]), abs=1e-3)


@pytest.mark.parametrize("row", reference("fig5"), ids=lambda row: row["label"])
def test_all_sixteen_networks_of_fig5(row: dict[str, str]) -> None:
    name = f"{row['depth']}d-{row['cardinality']}c-{row['scale']}s"
    mine = ROWS["fig5", name]
    counted, hundred = mine.counted(), cost(parse(name))
    assert counted is not None
    assert counted.params / 1e6 == pytest.approx(float(row["params_m_10_classes"]), abs=1e-3)
    assert hundred.params / 1e6 == pytest.approx(float(row["params_m_100_classes"]), abs=1e-3)
    assert hundred.macs / 1e9 == pytest.approx(float(row["gmacs"]), abs=1e-3)
    printed = row["top1_precision_pct"]
    assert mine.top1_error == (pytest.approx(100 - float(printed)) if printed else None)


def test_every_row_matches_but_the_ones_that_nobody_can() -> None:
    """Each of the others says in a word why."""
    unmatched = {row.name for row in ROWS.values() if matches(row) is False}
    assert {name for name in unmatched if "SE" not in name} == {"ResNet-50", "Res2NeXt-DLA-60"}
    assert all(ROWS[row].note for row in ROWS if ROWS[row].name in unmatched)


def test_the_command_prints_every_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--published"]) == 0
    printed = capsys.readouterr().out
    for row in reference("imagenet"):
        assert row["name"] in printed
    assert "297,472" in printed
