"""Every candidate is counted as its network is, and nothing outside the budget is kept."""

import itertools
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from res2net import Architecture, cost
from search.schema.budget import Band, Budget
from search.schema.network import Network
from search.schema.study_plan import StudyPlan
from search.schema.values import EachStage
from search.space.survey import survey
from tests.search.spaces import PAPER, load, plan_of, write

SMALL = st.lists(st.integers(1, 6), min_size=1, max_size=3).map(tuple)
FORMS = [
    (("cifar",), (11,)),
    (("cifar",), (20, 29)),
    (("cifar",), (11, (1, 2, 1))),
    (("cifar",), ((1, 1, 1), 11)),
    (("cifar",), EachStage(per_stage=(1, 2))),
    (("cifar11", "cifar"), (20,)),
    (("cifar", "dla46"), (11,)),
    (("imagenet", "dla46"), (14,)),
    (("imagenet", "biglittle50", "imagenet26"), (14,)),
    (("dla", "imagenet14", "dla60"), EachStage(per_stage=(1, 2))),
]


def per_stage(stages: int) -> st.SearchStrategy[Any]:
    """Values of single stages: written out, or every combination."""
    tuples = st.tuples(*[st.integers(1, 4)] * stages)
    written = st.lists(st.integers(1, 6) | tuples, min_size=1, max_size=3).map(tuple)
    return written | st.sets(st.integers(1, 6), min_size=1, max_size=2).map(
        lambda values: EachStage(per_stage=tuple(values))
    )


def listed(values: Any, stages: int) -> Any:
    """Every value that a field of a space names."""
    return values.combinations(stages) if isinstance(values, EachStage) else values


@st.composite
def configs(draw: st.DrawFn, *, fill: bool = False) -> StudyPlan:
    """A small space with random limits around a random member."""
    skeletons, depths = draw(st.sampled_from(FORMS))
    stages = {"cifar": 3}.get(skeletons[0].rstrip("0123456789"), 4)
    mixed = "cifar" in skeletons and len(skeletons) > 1
    by_stage = None if mixed else draw(st.sampled_from(["width", "scale", "cardinality"]))
    sizes = {
        name: draw(per_stage(stages) if name == by_stage else SMALL)
        for name in ("width", "scale", "cardinality")
    }
    network = Network.model_construct(
        skeleton=skeletons,
        planes=(4 * draw(st.integers(1, 3)),),
        depth=depths,
        width="fill" if fill else sizes["width"],
        scale=sizes["scale"],
        cardinality=sizes["cardinality"],
        se=draw(st.sampled_from([(False,), (True,), (False, True)])),
        version="v1",
        first_block=draw(st.sampled_from(["pool", "all"])),
    )
    base = plan_of_tiny().model_copy(update={"network": network})
    middle = draw(st.integers(10_000, 3_000_000))
    band = Band(min=middle // draw(st.integers(2, 4)), max=middle)
    params = draw(st.one_of(st.none(), st.integers(3_000, 100_000).map(lambda m: Band(max=m))))
    return base.model_copy(update={"budget": Budget(macs=band, params=params)})


def plan_of_tiny() -> StudyPlan:
    return load(Path(__file__).parents[1] / "tiny.yaml")[0]


def members(config: StudyPlan) -> list[Architecture]:
    """Every network that a space names, one by one."""
    network = config.network
    assert network.width != "fill"
    return [
        Architecture(
            skeleton=skeleton, depth=depth, planes=network.planes[0], width=width,
            scale=scale, cardinality=cardinality, se=se, first_block=network.first_block,
            classes=config.data.classes,
        )
        for (skeleton, depth), width, scale, cardinality, se in itertools.product(
            network.forms(), *(listed(getattr(network, name), network.stages)
            for name in ("width", "scale", "cardinality")), network.se
        )
    ]  # fmt: skip


def inside(config: StudyPlan, architecture: Architecture) -> bool:
    counted = cost(architecture, image_size=config.data.resolution)
    return all(
        (band.min is None or getattr(counted, name) >= band.min)
        and (band.max is None or getattr(counted, name) <= band.max)
        for name, band in config.budget.bands().items()
    )


@settings(max_examples=50, deadline=None, derandomize=True)
@given(configs())
def test_a_survey_is_what_counting_one_by_one_gives(config: StudyPlan) -> None:
    everyone = members(config)
    expected = {member for member in everyone if inside(config, member)}
    found = survey(config)
    kept = [found.architecture(i) for i in range(len(found))]
    assert len(kept) == len(set(kept)), "each network once"
    assert set(kept) == expected
    assert found.total == len(set(everyone))
    assert found.duplicates == len(everyone) - len(set(everyone))
    assert sum(found.rejected.values()) == found.total - len(found)
    for i, member in enumerate(kept):
        assert found.cost(i) == cost(member, image_size=config.data.resolution)
        assert found.candidate(member) == i
    for outsider in set(everyone) - expected:
        assert found.candidate(outsider) is None


@settings(max_examples=25, deadline=None, derandomize=True)
@given(configs(fill=True))
def test_fill_is_the_widest_inside_every_upper_limit(config: StudyPlan) -> None:
    found = survey(config)
    only_max = config.budget.model_copy(
        update={n: Band(max=b.max) for n, b in config.budget.bands().items()}
    )
    unlimited_below = config.model_copy(update={"budget": only_max})
    for i in range(len(found)):
        member = found.architecture(i)
        assert inside(config, member)
        wider = Architecture(
            **{name: getattr(member, name) for name in Architecture.__slots__}
            | {"width": member.width + 1}
        )
        assert not inside(unlimited_below, wider)


def test_the_nearest_on_each_side_are_the_nearest(tmp_path: Path) -> None:
    config = plan_of(tmp_path).model_copy(
        update={"budget": Budget(macs=Band(min=100_000, max=100_001))}
    )
    found = survey(config)
    assert len(found) == 0
    amounts = sorted(cost(m, image_size=8).macs for m in members(config))
    assert found.near["below"].cost.macs == max(a for a in amounts if a < 100_000)
    assert found.near["above"].cost.macs == min(a for a in amounts if a > 100_001)


def test_the_paper_s_budget_holds_its_network(tmp_path: Path) -> None:
    found = survey(plan_of(tmp_path, PAPER))
    paper = Architecture(depth=29, width=24, scale=4, cardinality=6)
    candidate = found.candidate(paper)
    assert candidate is not None
    assert found.cost(candidate).macs == 3_947_925_504


def test_a_candidate_of_a_million_costs_little_beside_one_counted_alone(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, PAPER)
    wide = (
        "network.width={from: 1, to: 500}",
        "network.cardinality={from: 1, to: 20}",
        "network.scale={from: 1, to: 20}",
    )
    config, _ = load(path, wide)
    begin = time.perf_counter()
    found = survey(config)
    each = (time.perf_counter() - begin) / 1_000_000
    assert found.total == 1_000_000
    begin = time.perf_counter()
    for candidate in range(200):
        cost(found.architecture(candidate), image_size=32)
    alone = (time.perf_counter() - begin) / 200
    assert each < alone / 20, "measured: a hundredth"


@pytest.mark.parametrize("limit", ["params", "activations"])
def test_every_kind_of_limit_holds(tmp_path: Path, limit: str) -> None:
    free = plan_of(tmp_path).model_copy(update={"budget": Budget()})
    everyone = survey(free)
    amounts = getattr(everyone.costs, limit)
    middle = int(sorted(amounts)[len(amounts) // 2])
    budget = Budget(**{limit: Band(max=middle)})
    found = survey(free.model_copy(update={"budget": budget}))
    assert len(found) == (amounts <= middle).sum()
