"""What a study asks is written down beforehand: read strictly, kept, and not changed later."""

import json
import re
from pathlib import Path

import pytest

from search.schema.seals import sealed_document
from search.schema.yaml import ConfigError
from search.study import manifest
from tests.search.spaces import TINY, load, plan_of, write

BIG, SMALL = "res2net11_2w2s_2p_4classes", "resnet11_2w_2p_4classes"
PAIR = f"{{{BIG}: 1, {SMALL}: -1}}"

MISTAKES = [
    ("{margin: 0}", r":15: analysis.margin: 0 is not above 0; write a number"),
    ("{margin: -1.5}", r":15: analysis.margin: -1.5 is not above 0"),
    ("{of: breadth}", r":15: analysis.of: 'breadth' is not known; write 'scale', 'card"),
    ("{of: depth}", (
        r":15: analysis.of: 'depth' is only for the sampler axes; write that, or remove"
    )),
    ("{stopping: never}", r":15: analysis.stopping: 'never' is not known; .*'always_valid'"),
    ("{margins: 1}", r":15: analysis.margins: is not a key; did you mean 'margin'"),
    (f"\n  contrasts:\n    a: {{{BIG}: 1}}", r":17: .*a: names fewer than two"),
    (f"{{contrasts: {{a: {{{BIG}: 0, {SMALL}: 0}}}}}}", r":15: .*names fewer than two"),
    (f"{{contrasts: {{a: {{{BIG}: 1, {SMALL}: -.5}}}}}}", r":15: .*add up to 0.5, not 0"),
    (f"{{contrasts: {{a: {{{BIG}: one, {SMALL}: -1}}}}}}", r":15: .*'one' is not a number"),
    (f"\n  contrasts:\n    a:\n      {BIG}: 1\n      nonsense: -1",
     r":19: analysis.contrasts.a: 'nonsense' is not a network: .*name"),
    (f"{{contrasts: {{a: {{{BIG}: 1, resnet29_2w_2p: -1}}}}}}",
     r":15: .*'resnet29_2w_2p' is resnet29_2w_2p_4classes, which is not a network of "
     r".*nearest: r"),
    (f"{{contrasts: {{a: {{{BIG}: 1, res2net20_3w3s_2p: -1}}}}}}", (
        "not a network of this study"
    )),
    (f"{{contrasts: {{a: {{{BIG}: 1, Res2Net-11-2w-2s-2p: -1}}}}}}",
     r":15: .*'Res2Net-11-2w-2s-2p' is res2net11_2w2s_2p_4classes, which is already listed"),
]  # fmt: skip


@pytest.mark.parametrize(("section", "message"), MISTAKES, ids=[m[1] for m in MISTAKES])
def test_a_mistake_is_named(tmp_path: Path, section: str, message: str) -> None:
    text = TINY.replace("macs: {max: 300K, min: 20K}", "macs: {max: 100K}")
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, f"{text}analysis: {section}\n"))
    assert re.search(message, str(caught.value)), str(caught.value)


def test_what_is_not_said_has_defaults(tmp_path: Path) -> None:
    asked = plan_of(tmp_path).analysis
    assert (asked.margin, asked.of, asked.stopping) == (None, "scale", "fixed")
    assert asked.contrasts == {}


def test_networks_are_called_as_their_trials_will_be(tmp_path: Path) -> None:
    section = (
        "analysis: {margin: 0.5, contrasts: {a: {Res2Net-11-2w-2s-2p: 1, ResNet-11-2w-2p: -1}}}"
    )
    asked = plan_of(tmp_path, f"{TINY}{section}\n").analysis
    assert asked.contrasts == {"a": {BIG: 1.0, SMALL: -1.0}}


def test_the_manifest_keeps_it_and_a_change_is_refused(tmp_path: Path) -> None:
    asked = f"{TINY}analysis: {{margin: 0.5, contrasts: {{a: {PAIR}}}}}\n"
    plan = plan_of(tmp_path, asked)
    manifest.note(tmp_path, plan, space=asked, command=["run"])
    noted = manifest.read(tmp_path)
    assert noted is not None
    assert noted.plan.analysis == plan.analysis
    assert manifest.going_on(tmp_path, plan) == plan
    for other, said in [
        (TINY, r"analysis.margin: there 0.5, here None"),
        (asked.replace(": 1,", ": 2,").replace(": -1}", ": -2}"), r"analysis.contrasts.a"),
        (asked.replace("{margin", "{stopping: always_valid, margin"), r"analysis.stopping"),
    ]:
        with pytest.raises(ConfigError, match=said):
            manifest.going_on(tmp_path, plan_of(tmp_path, other))


def test_a_study_begun_before_there_was_such_a_section_goes_on_without(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    manifest.note(tmp_path, plan, space=TINY, command=["run"])
    path = tmp_path / manifest.FILE
    raw = json.loads(path.read_text(encoding="utf-8"))
    del raw["plan"]["analysis"]
    for start in raw["starts"]:
        del start["seeds"], start["trials"]
    path.write_text(sealed_document(raw), encoding="utf-8")
    assert manifest.going_on(tmp_path, plan) == plan
    noted = manifest.read(tmp_path)
    assert noted is not None
    assert not noted.seeds_added
    with pytest.raises(ConfigError, match=r"analysis.margin: there None, here 2"):
        manifest.going_on(tmp_path, plan_of(tmp_path, f"{TINY}analysis: {{margin: 2}}\n"))


def test_each_start_says_how_much_was_planned(tmp_path: Path) -> None:
    for seeds, added in ((2, False), (2, False), (3, True), (3, True)):
        plan = plan_of(tmp_path, TINY, f"search.seeds={seeds}")
        manifest.note(tmp_path, plan, space=TINY, command=["run"])
        noted = manifest.read(tmp_path)
        assert noted is not None
        assert noted.seeds_added is added
        assert noted.starts[-1]["seeds"] == seeds
        assert noted.starts[-1]["trials"] == 3


def test_it_counts_what_another_run_had_planned_whose_trials_are_taken_over(
    tmp_path: Path,
) -> None:
    """Its results were known: seeds and networks beyond them were added after a look."""
    folders = {name: tmp_path / name for name in ("first", "same", "more", "again")}
    for name, seeds, trials, reused in (
        ("first", 2, 3, []),
        ("same", 2, 3, ["first"]),
        ("more", 3, 5, ["first"]),
        ("again", 3, 5, ["more"]),
    ):
        folders[name].mkdir()
        plan = plan_of(
            tmp_path, TINY, f"search.seeds={seeds}", f"search.trials={trials}"
        )  # fmt: skip
        sources = [folders[one] for one in reused]
        manifest.note(folders[name], plan, space=TINY, command=["run"], reused=sources)
    noted = {name: manifest.read(folder) for name, folder in folders.items()}
    added = {name: (one.seeds_added, one.trials_added) for name, one in noted.items() if one}
    assert added == {
        "first": (False, False), "same": (False, False), "more": (True, True),
        "again": (True, True),
    }  # fmt: skip
