"""A skeleton from outside: its own stages and stem, in a study, counted as it is built."""

from pathlib import Path

import pytest

import search
from analysis.report import main as report
from res2net import Architecture, ArchitectureError, build, cost
from res2net.blocks.checking import check_block
from search.run import main
from search.study import manifest
from search.study.events import Status
from search.study.loading import loading_line
from tests.search.spaces import TINY, write

SKELETON = '''
"""Two stages behind a 3x3 stem of stride 2."""

from res2net.skeletons.resnet.facts import CIFAR
from res2net.skeletons.resnet.modules import make_modules as three_stages
from res2net.skeletons.resnet.layers import count_layers
from res2net.skeletons.resnet.paths import trace_paths


def layers(blocks):
    return 3 * sum(blocks) + 2


def two(blocks):
    return len(blocks) == 2


def make_modules(layout):
    return three_stages(layout)


SHORT = CIFAR._replace(
    depth=14,
    stages=("layer1", "layer2"),
    strides=(1, 2),
    output_strides=(2, 1),
    depths={8: (1, 1), 14: (2, 2)},
    layers=layers,
    blocks_fit=two,
    block_rule="two whole numbers from 1 up",
    make_modules="my_skeleton.py:make_modules",
)
'''
NAME = "my_skeleton.py:SHORT"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "my_skeleton.py").write_text(SKELETON.lstrip(), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_counts_what_it_builds(folder: Path) -> None:
    network = Architecture(
        skeleton=NAME, depth=14, planes=8, width=4, scale=3, cardinality=2, classes=4
    )
    module = build(network)
    assert cost(network).params == sum(p.numel() for p in module.parameters())
    assert [name for name, _ in module.named_children() if name.startswith("layer")] == [
        "layer1",
        "layer2",
    ]
    check_block("res2net", [network])
    assert "/" not in network.name
    assert "by-SHORT-" in network.name


def test_a_study_of_it_runs_and_its_weights_load(folder: Path) -> None:
    text = TINY.replace("skeleton: cifar", f'skeleton: "{NAME}"')
    text = text.replace("[11, 20]", "[8, 14]")
    text = text.replace("{max: 300K, min: 20K}", "{max: 3M}").replace("epochs: 3", "epochs: 1")
    result = search.run_study(write(folder, text), out=folder / "run", inline=True)
    assert result.finished
    assert {t.ended.status for t in result.trials if t.ended} == {Status.OK}
    held = manifest.read(folder / "run")
    assert held is not None
    assert [part.key for part in held.parts] == ["network.skeleton"]
    line = loading_line(result.weights[0], plan=result.plan)
    import res2net  # noqa: PLC0415 - the line names it

    loaded = eval(line, {"res2net": res2net, "search": search})
    assert result.best is not None
    assert sum(p.numel() for p in loaded.parameters()) == result.best.started.params


def test_a_run_whose_skeleton_is_gone_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = TINY.replace("skeleton: cifar", f'skeleton: "{NAME}"').replace("[11, 20]", "[8, 14]")
    text = text.replace("{max: 300K, min: 20K}", "{max: 3M}").replace("trials: 3", "trials: 1")
    text = text.replace("epochs: 3", "epochs: 1")
    search.run_study(write(folder, text), out=folder / "run", inline=True)
    (folder / "my_skeleton.py").unlink()
    assert report(["run", "--out", "report.html"]) == 2
    said = capsys.readouterr().err
    assert "restore the skeleton's file" in said
    assert "my_skeleton.py" in said


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("SHORT = CIFAR", "LONG = CIFAR", "has no attribute 'SHORT'"),
        ("SHORT = CIFAR._replace(", "SHORT = dict(", "is a dict; give a res2net.skeletons"),
        ('stages=("layer1", "layer2")', 'stages=("layer1",)', "give as many"),
    ],
)
def test_one_that_is_none_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, message: str
) -> None:
    path = folder / "my_skeleton.py"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    space = TINY.replace("skeleton: cifar", f'skeleton: "{NAME}"').replace(
        "[11, 20]", "[8, 14]"
    )
    assert main([str(write(folder, space)), "--inline", "--out", "run"]) == 2
    said = capsys.readouterr().err
    assert message in said, said
    assert "Traceback" not in said


def test_a_name_that_is_no_skeleton_is_said() -> None:
    with pytest.raises(ArchitectureError, match="is not known; write one of: cifar"):
        Architecture(skeleton="vgg")
