"""The paper's tables: what we count against what is printed and what others counted."""

import dataclasses

import pytest

from res2net import cost, parse
from res2net.__main__ import main
from res2net.published import matches, published
from tests.conftest import reference

RESNET_SKELETON = ("resnet", "res2net", "res2next", "res2net-v1b", "res2net-se")
IMAGENET = [row for row in reference("imagenet") if row["family"] in RESNET_SKELETON]
CIFAR = [row for row in reference("cifar100") if row["cardinality"]]
ROWS = {(row.table, row.name): row for row in published()}


@pytest.mark.parametrize("row", IMAGENET, ids=lambda row: row["name"])
def test_imagenet_parameters_are_exact_and_macs_as_printed(row: dict[str, str]) -> None:
    mine = ROWS["imagenet", row["name"]]
    counted = mine.counted()
    assert counted is not None
    assert counted.params == int(row["params_counted"])
    assert mine.params_m == (row["params_m_printed"] or None)
    if row["gmacs_counted"]:
        assert counted.macs / 1e9 == pytest.approx(float(row["gmacs_counted"]), abs=0.003)


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


def test_every_row_that_can_be_built_matches_but_the_two_that_nobody_can() -> None:
    unmatched = {row.name for row in ROWS.values() if matches(row) is False}
    assert {name for name in unmatched if "SE" not in name} == {"ResNet-50"}


def test_the_command_prints_every_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--published"]) == 0
    printed = capsys.readouterr().out
    for row in reference("imagenet"):
        assert row["name"] in printed
    assert "its skeleton is not built here yet" in printed
