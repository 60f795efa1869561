"""Trained networks of one study taken to the task of another, seed by seed."""

import hashlib
import json
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save

from res2net import build
from search import run_study
from search.engine.bench import Benches
from search.engine.training import Trainer
from search.engine.transfer import backbone_in, check_files
from search.run_command import main
from search.schema.yaml import ConfigError
from search.space.configuration import architecture_from_json
from search.study.events import Ended, Started
from search.study.journal import read as read_journal
from search.study.manifest import read

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.skipif(not find_spec("faster_coco_eval"), reason="an extra"),
]
NETWORK = {"skeleton": "cifar", "planes": 2, "depth": 11, "width": [1, 2], "scale": 2}
SOURCE: dict[str, Any] = {
    "study": "patterns",
    "network": NETWORK,
    "data": {"name": "synthetic", "validation": 64},
    "training": {"epochs": 1, "batch_size": 32, "precision": "fp32"},
    "search": {"sampler": "grid", "seeds": 2},
    "keep": {"best": 2},
}


def target(*sources: Path, **changes: Any) -> dict[str, Any]:
    """A study of keypoints with the weights of others."""
    return {
        "study": "points",
        "network": NETWORK,
        "data": {"name": "digit_scenes", "validation": 6, "train": 8, "test": 6},
        "task": {"name": "keypoints", "channels": 4, "window": [32, 32]},
        "training": {"epochs": 1, "batch_size": 4, "precision": "fp32"},
        "search": {"sampler": "grid", "seeds": 2},
        "transfer": {"from": [str(one) for one in sources]},
        "keep": {"best": 2},
    } | changes


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of classification, with the weights of both networks and both seeds."""
    folder = tmp_path_factory.mktemp("source") / "patterns"
    run_study(SOURCE, out=folder, inline=True)
    return folder


@pytest.fixture(scope="module")
def run(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of keypoints that began with these."""
    folder = tmp_path_factory.mktemp("target") / "run"
    assert run_study(target(source), out=folder, inline=True).finished
    return folder


@pytest.fixture
def copied(source: Path, tmp_path: Path) -> Path:
    """The source, to be damaged."""
    return Path(shutil.copytree(source, tmp_path / "copied"))


@pytest.mark.slow
def test_workers_of_ray_begin_with_the_same_weights(
    source: Path, run: Path, tmp_path: Path, ray_address: str
) -> None:
    folder = tmp_path / "run"
    assert run_study(target(source), out=folder, address=ray_address).finished
    assert _scores(folder) == _scores(run)


def _scores(folder: Path) -> dict[tuple[str, int], dict[str, float]]:
    records = read_journal(folder)
    starts = {one.trial: one for one in records if isinstance(one, Started)}
    ends = [one for one in records if isinstance(one, Ended)]
    return {(starts[e.trial].name, starts[e.trial].repeat): e.metrics for e in ends}


def test_a_worker_that_cannot_read_the_weights_says_so(source: Path, run: Path) -> None:
    noted = read(run)
    elsewhere = noted.plan.transfer.model_copy(
        update={"files": (noted.plan.transfer.files[0].model_copy(update={"path": "gone"}),)}
    )
    with pytest.raises(OSError, match=r"transfer.from: .*gone cannot be read on this machine"):
        check_files(elsewhere, source)


def _edit(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    about = json.loads(path.read_text())
    change(about)
    path.write_text(json.dumps(about))


def test_each_backbone_begins_with_the_weights_of_its_own_seed(source: Path, run: Path) -> None:
    """What it puts out before the first step is what the trained network puts out."""
    noted = read(run)
    assert noted is not None
    starts = [one for one in read_journal(run) if isinstance(one, Started)]
    assert len(starts) == 4
    benches, images = Benches(noted.plan, Path("nowhere")), torch.randn(2, 3, 32, 32)
    heads = set()
    for started in starts:
        trainer = Trainer(started.network(), benches.of(started), epochs=1, seed=started.seed)
        network = trainer.trained.eval()
        fresh = build(started.network(), features=[1, 2, 3], seed=1)
        backbone = backbone_in(network, fresh.state_dict())
        backbone.to(memory_format=torch.contiguous_format)  # in which it is summed alike
        taken = noted.plan.transfer.of(started.network().name, started.repeat)
        assert taken is not None
        about = json.loads(Path(taken.path).with_suffix(".json").read_text())
        assert about["repeat"] == started.repeat
        there = architecture_from_json(about["architecture"])
        trained = build(there, features=[1, 2, 3], weights=taken.path).eval()
        with torch.no_grad():
            expected, seen = trained(images), backbone(images)
        assert all(torch.equal(expected[key], seen[key]) for key in expected)
        heads.add(float(network.head[0].weight.detach().sum()))
    assert len({one.repeat for one in starts}) == 2
    assert len(heads) == 2, "a head is drawn from the seed, which networks share"


def test_the_manifest_says_what_each_trial_began_with(source: Path, run: Path) -> None:
    transfer = read(run).plan.transfer
    assert transfer.sources == (str(source),)
    assert transfer.objective.name == "val_error"
    assert transfer.objective.complement == "accuracy"
    assert len(transfer.files) == 4
    for one in transfer.files:
        about = json.loads(Path(one.path).with_suffix(".json").read_text())
        assert one.sha256 == about["sha256"]
        assert one.scores == about["metrics"]
        assert one.source == str(source)


def test_it_can_be_taken_on_to_a_third_task(run: Path, tmp_path: Path) -> None:
    """From a network with heatmaps into a classifier, whose own layer begins fresh."""
    third = SOURCE | {"transfer": {"from": str(run)}}
    result = run_study(third, out=tmp_path / "third", inline=True)
    assert result.finished
    assert result.plan.transfer.objective.name == "val_ap"


def test_a_stopped_study_goes_on_to_the_same_end(
    source: Path, run: Path, tmp_path: Path
) -> None:
    calls = 0

    def stop(_: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise KeyboardInterrupt

    folder = tmp_path / "run"
    run_study(target(source), out=folder, inline=True, on_event=stop)
    result = run_study(target(source), out=folder, inline=True)
    assert result.finished
    for path in (run / "networks").glob("*.safetensors"):
        ours, theirs = load_file(path), load_file(folder / "networks" / path.name)
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_going_on_with_other_weights_is_refused(
    source: Path, copied: Path, tmp_path: Path
) -> None:
    run_study(target(copied), out=tmp_path / "run", inline=True)
    path = next((copied / "networks").glob("*seed1.safetensors"))
    other = {key: tensor + 1 for key, tensor in load_file(path).items()}
    _replace(path, other)
    more = target(copied, search={"sampler": "grid", "seeds": 2})
    with pytest.raises(ConfigError, match=r"seed 1, have changed since the study began \("):
        run_study(more, out=tmp_path / "run", inline=True)
    for one in (copied / "networks").glob(f"{path.name.split('-')[0]}*"):
        one.unlink()
    with pytest.raises(ConfigError, match="no longer has any"):
        run_study(more, out=tmp_path / "run", inline=True)
    moved = target(source)  # the same files elsewhere are the same
    assert run_study(moved, out=tmp_path / "run", inline=True).finished


def _replace(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    content = save({key: tensor.contiguous() for key, tensor in tensors.items()})
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    _edit(path.with_suffix(".json"), lambda about: about.update(sha256=digest))


def _damage(folder: Path) -> None:
    path = next((folder / "networks").glob("*.safetensors"))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def _cut(folder: Path) -> None:
    path = next((folder / "networks").glob("*.safetensors"))
    tensors = load_file(path)
    tensors["layer1.0.conv1.weight"] = tensors["layer1.0.conv1.weight"][:, :1]
    _replace(path, tensors)


def _no_json(folder: Path) -> None:
    next((folder / "networks").glob("*.json")).unlink()


def _empty(folder: Path) -> None:
    shutil.rmtree(folder / "networks")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_empty, "contains no trained weights; run that study with keep: {best: N}"),
        (_damage, "is damaged (its SHA-256 is "),
        (_cut, "not the weights of res2net11_"),
        (_no_json, ".json beside it, which says which network it is; restore both"),
        (shutil.rmtree, "does not exist; write a run's folder"),
    ],
)
def test_weights_that_cannot_be_had_are_refused(
    copied: Path, tmp_path: Path, damage: Callable[[Path], None], said: str
) -> None:
    damage(copied)
    with pytest.raises(ConfigError) as caught:
        run_study(target(copied), out=tmp_path / "run", inline=True)
    assert "transfer.from: " in str(caught.value)
    assert said in str(caught.value)
    assert not (tmp_path / "run").exists()


REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"network": NETWORK | {"depth": 20}},
        "none of its networks is in this space and inside its",
    ),
    (
        {"search": {"sampler": "grid", "seeds": 3}},
        "weights for all 3 seeds of search.seeds",
    ),
    ({"search": {"sampler": "grid", "trials": 3}}, "search.trials: 3 is more than the 2"),
    ({"confirm": {"top": 1, "seeds": 1, "epochs": 1}}, "confirm: trains networks with fresh"),
    (
        {"execution": {"replay": "runs/x"}},
        "transfer: gives networks initial weights for",
    ),
    ({"transfer": {}}, "transfer.from: is missing; add it (from: runs/imagenette)"),
    ({"transfer": {"from": []}}, "transfer.from: [] is empty"),
    ({"transfer": {"form": "runs/x"}}, "did you mean 'from'?"),
    ({"transfer": {"from": 3}}, "transfer.from: 3 is not a place of trained weights"),
]


@pytest.mark.parametrize(("changes", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_what_cannot_be_is_refused_by_name(
    source: Path, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        run_study(target(source, **changes), out=tmp_path / "run", inline=True)
    assert said in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_the_weights_of_the_other_phase_are_asked_for_by_name(
    source: Path, tmp_path: Path
) -> None:
    asked = {"from": str(source), "phase": "confirm"}
    with pytest.raises(ConfigError, match=r"no weights of its confirm; write tra"):
        run_study(target(source, transfer=asked), out=tmp_path / "run", inline=True)


def test_the_plan_counts_what_is_left_aside(
    source: Path, copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of three networks of the space one has no weights, one has them of one seed only."""
    next((copied / "networks").glob("*_1w2s_*seed1.safetensors")).unlink()
    network = {**NETWORK, "width": [1, 2, 3]}
    path = tmp_path / "space.yaml"
    path.write_text(json.dumps(target(copied, network=network)))
    assert main(["--plan", str(path), "--out", str(tmp_path / "run")]) == 0
    said = capsys.readouterr().out
    assert "2 rejected: without trained weights of every seed in transfer.from" in said
    assert "2 files of trained weights, of 1 network, from" in said
    assert "1 network (res2net11_1w2s_2p_10classes (seed 0)) left out because they lack" in said
    path.write_text(json.dumps(target(source, network={**NETWORK, "width": 2})))
    assert main(["--plan", str(path)]) == 0
    assert "1 network (res2net11_1w2s_2p_4classes) there, outside" in capsys.readouterr().out


@pytest.mark.slow
def test_more_seeds_take_more_files_and_stay(source: Path, tmp_path: Path) -> None:
    """The first command goes on with what the study was extended to."""
    one = target(source, search={"sampler": "grid", "seeds": 1})
    assert len(run_study(one, out=tmp_path / "run", inline=True).trials) == 2
    assert len(run_study(target(source), out=tmp_path / "run", inline=True).trials) == 4
    again = run_study(one, out=tmp_path / "run", inline=True)
    assert again.finished
    assert len(read(tmp_path / "run").plan.transfer.files) == 4


@pytest.mark.slow
def test_a_run_of_more_seeds_gives_those_that_are_asked_for(
    source: Path, run: Path, tmp_path: Path
) -> None:
    one = target(source, search={"sampler": "grid", "seeds": 1})
    result = run_study(one, out=tmp_path / "run", inline=True, reuse=run)
    assert [end.ended.source for end in result.trials if end.ended] == [str(run)] * 2


@pytest.mark.slow
def test_a_network_with_settings_begins_with_the_weights_of_the_network(
    source: Path, tmp_path: Path
) -> None:
    training = {"epochs": 1, "batch_size": 4, "precision": "fp32", "lr": [0.1, 0.01]}
    asked = target(source, training=training, search={"sampler": "grid", "seeds": 1})
    result = run_study(asked, out=tmp_path / "run", inline=True)
    assert len(result.trials) == 4
    assert len(result.plan.transfer.files) == 2


def test_files_may_be_named_and_two_of_one_network_are_refused(
    source: Path, copied: Path, tmp_path: Path
) -> None:
    path = next((source / "networks").glob("*_2w2s_*seed0.safetensors"))
    asked = target(path, search={"sampler": "grid", "seeds": 1})
    result = run_study(asked, out=tmp_path / "run", inline=True)
    assert [one.path for one in result.plan.transfer.files] == [str(path)]
    other = copied / "networks" / path.name
    _replace(other, {key: tensor + 1 for key, tensor in load_file(other).items()})
    with pytest.raises(ConfigError, match=r"are both of res2net11_2w2s_2p_10classes, seed 0"):
        run_study(target(path, copied), out=tmp_path / "two", inline=True)
    with pytest.raises(ConfigError, match=r"is not a .safetensors file"):
        run_study(target(path.with_suffix(".json")), out=tmp_path / "two", inline=True)


def test_axes_need_the_weights_of_the_network_where_they_meet(
    source: Path, tmp_path: Path
) -> None:
    search = {"sampler": "axes", "base": {"width": 3}, "seeds": 1}
    network = {**NETWORK, "width": [1, 2, 3]}
    with pytest.raises(ConfigError, match=r"weights of res2net11_3w2s.*, where the axes meet"):
        run_study(target(source, network=network, search=search), out=tmp_path / "run")
