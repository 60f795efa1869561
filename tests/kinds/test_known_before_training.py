"""What can be known before training is refused before the first trial, with the remedy."""

import re
from pathlib import Path

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from res2net import Architecture, build
from res2net.norms import smallest_normed_side
from search import run_study
from search.room import require_room
from search.run import main
from search.schema.yaml import ConfigError
from search.space.trainable import last_piece
from search.study.events import Status
from tests.outside.parts import DATA
from tests.search.conftest import _few_decoders, _nothing_drawn  # noqa: F401 - quick
from tests.search.images.trees import plant
from tests.search.spaces import TINY, load, resolved_of, write

OPEN = TINY.replace("{max: 300K, min: 20K}", "{max: 900M}").replace("epochs: 3", "epochs: 1")
IMAGENET = OPEN.replace("skeleton: cifar", "skeleton: imagenet").replace("[11, 20]", "14")
BOTH = OPEN.replace("skeleton: cifar", "skeleton: [cifar, imagenet14]")
UNLIMITED = OPEN.replace("budget:\n  macs: {max: 900M}\n", "")
SIZE = "batch_size: 32"

# A space, what is laid over it, and what is said of it.
KNOWN = [
    (IMAGENET, "training.batch_size=1", r"training.batch_size: 1 image is a batch, and at 8 px the "
     r"last feature maps of all networks are a single pixel: .*; write batch_size: 2 or more$"),
    (BOTH, "training.batch_size=1", r"feature maps of networks of imagenet are a single pixel"),
    (IMAGENET.replace(SIZE, "batch_size: 5"), "training.accumulate=4", r"training.accumulate: 4: "
     r"the last of the pieces of a batch of 5 is 1 image.*; write accumulate: 2, or batch_size: 8"),
    (IMAGENET, "training.accumulate=32", r"write accumulate: 16, or batch_size: 64$"),
    (OPEN.replace(SIZE, "batch_size: 1"), "training.mixup=0.2", r"training.mixup: mixes the "
                                                                r"images of a batch, but "
                                                                r"training.batch_size 1 gives "
                                                                r"it only one; write "
                                                                r"batch_size: 2 or more"),
    (OPEN.replace(SIZE, "batch_size: 1"), "training.cutmix=1", r"training.cutmix: mixes"),
    (OPEN.replace(SIZE, "batch_size: 2"), "data.train=3", r"data.train: 3 images to train on cannot "
     r"show all 4 classes; write at least that many"),
    (UNLIMITED, "network.planes=1048576", r"a checkpoint of the largest network \(\S+ "
                                          r"params\) takes \S+B, but the disk has \S+ free; "
                                          r".*--out, or lower budget.params.max"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "override", "message"), KNOWN, ids=[k[1] for k in KNOWN])
def test_it_is_refused_before_anything_runs(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    text: str,
    override: str,
    message: str,
) -> None:
    out = tmp_path / "run"
    command = [str(write(tmp_path, text)), "--set", override, "--inline", "--out", str(out)]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert re.search(message, said.strip()), said
    assert not out.exists()


def test_the_example_is_refused_by_its_plan_and_trains_as_the_remedy_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = plant(tmp_path / "tree", ["a", "b"], train=12, val=2, side=37)
    text = IMAGENET.replace(
        "{name: synthetic, validation: 64}",
        f"{{name: imagefolder, root: '{tree}', resolution: 32, validation: 4}}",
    )
    space = str(write(tmp_path, text))
    one = ["--set", "training.batch_size=1", "--set", "search.trials=1"]
    assert main([space, "--plan", *one]) == 2
    said = capsys.readouterr().err
    assert "write batch_size: 2 or more, or data.resolution: 33 or more" in said
    for remedy in ("training.batch_size=2", "data.resolution=33"):
        out = tmp_path / remedy
        result = run_study(space, overrides=[*one[1::2], remedy], out=out, inline=True)
        assert [t.ended.status for t in result.trials if t.ended] == [Status.OK], remedy


def test_with_larger_maps_one_image_is_a_batch(tmp_path: Path) -> None:
    """The cifar skeleton ends in maps of 2 pixels here: nothing is wrong with it."""
    plan, _ = load(write(tmp_path, OPEN), ("training.batch_size=1",))
    assert plan.training.batch_size == 1


@given(batch=st.integers(1, 300), pieces=st.integers(1, 300))
def test_the_last_piece_is_as_torch_cuts_it(batch: int, pieces: int) -> None:
    assume(pieces <= batch)
    assert last_piece(batch, pieces) == len(torch.zeros(batch).chunk(pieces)[-1])


SKELETONS = [("cifar", 11), ("imagenet", 14), ("dla", 46), ("biglittle", 50)]


@settings(max_examples=12)
@given(
    stack=st.sampled_from(SKELETONS),
    side=st.integers(1, 70),
    version=st.sampled_from(["v1", "v1b"]),
    scale=st.integers(1, 3),
)
def test_the_smallest_normed_map_is_the_module_s(
    stack: tuple[str, int], side: int, version: str, scale: int
) -> None:
    """And a single image trains exactly where that is larger than a pixel."""
    one = Architecture(
        skeleton=stack[0], depth=stack[1], planes=4, width=2, scale=scale,
        version="v1" if stack[0] != "imagenet" else version, classes=3,
    )  # fmt: skip
    network, seen = build(one).train(), []
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.register_forward_pre_hook(lambda _, given: seen.append(given[0].shape[-1]))
    network(torch.zeros(2, 3, side, side))
    smallest = smallest_normed_side(one, image_size=side)
    assert smallest == min(seen)
    if smallest == 1:
        with pytest.raises(ValueError, match="more than 1 value per channel"):
            network(torch.zeros(1, 3, side, side))
    else:
        network(torch.zeros(1, 3, side, side))


def tree_space(folder: Path, tree: Path, **data: object) -> Path:
    keys = {"name": "imagefolder", "root": str(tree), "resolution": 8, **data}
    written = ", ".join(f"{key}: {value}" for key, value in keys.items())
    text = OPEN.replace("name: synthetic, validation: 64", written)
    return write(folder, text.replace(SIZE, "batch_size: 2"))


def damage(*paths: Path) -> None:
    for path in paths:
        path.write_bytes(path.read_bytes()[:20])


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        (
            "train/b",
            r"data.root: damaged files leave no image to train on of class 'b'; replace",
        ),
        ("val/b", r"data.root: damaged files leave no image to test of class 'b'; replace"),
    ],
)
def test_a_class_lost_to_damage_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lost: str, message: str
) -> None:
    tree = plant(tmp_path / "tree", ["a", "b"], train=5, val=2, side=8)
    damage(*(tree / lost).iterdir())
    out = tmp_path / "run"
    command = [str(tree_space(tmp_path, tree, validation=2)), "--inline", "--out", str(out)]
    assert main(command) == 2
    said = capsys.readouterr()
    assert re.search(message, said.err), said.err
    assert f"left out: {tree / lost}" in said.out, "the files are named"
    assert not out.exists()


def test_a_validation_split_lost_to_damage_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from search.images.sets import cut_evenly  # noqa: PLC0415 - to know which they are
    from search.images.tree import read_tree  # noqa: PLC0415

    tree = plant(tmp_path / "tree", ["a", "b"], train=5, val=2, side=8)
    files = read_tree(tree, classes=None, images_per_class=None, place=str).train
    damage(*(files.folder / files.names[row] for row in cut_evenly(files.labels, 2)[1]))
    command = [str(tree_space(tmp_path, tree, validation=2)), "--inline"]
    assert main([*command, "--out", str(tmp_path / "run")]) == 2
    assert "none of the 2 validation images can be read" in capsys.readouterr().err


def test_one_damaged_file_of_several_is_left_out_as_before(tmp_path: Path) -> None:
    tree = plant(tmp_path / "tree", ["a", "b"], train=5, val=2, side=8)
    damage(tree / "train/b/00000.png")
    command = [str(tree_space(tmp_path, tree, validation=2)), "--inline"]
    assert main([*command, "--set", "search.trials=1", "--out", str(tmp_path / "run")]) == 0


def test_a_class_that_validation_takes_whole_is_refused(tmp_path: Path) -> None:
    tree = plant(tmp_path / "tree", ["a", "b"], train=9, val=1)
    for path in sorted((tree / "train/b").iterdir())[2:]:
        path.unlink()
    with pytest.raises(
        ConfigError, match=r"data.validation: .* none is left of class 'b' \(one has 2\)"
    ):
        load(tree_space(tmp_path, tree, validation=4))
    load(tree_space(tmp_path, tree, validation=2))


def test_a_tree_of_one_class_is_refused(tmp_path: Path) -> None:
    tree = plant(tmp_path / "tree", ["a"], train=9, val=1)
    with pytest.raises(
        ConfigError, match=r"data.classes: there is only one class, so there is nothing"
    ):
        load(tree_space(tmp_path, tree, validation=2))


@pytest.mark.parametrize("name", ["checkpoints", "networks", "figures"])
def test_a_file_where_trials_write_into_a_folder_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    out = tmp_path / "run"
    out.mkdir()
    (out / name).touch()
    assert main([str(write(tmp_path, OPEN)), "--inline", "--out", str(out)]) == 2
    assert f"{out / name}: is a file, but a run keeps {name}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["checkpoints/my_resnet.pt", "networks/mine.json", "trials.csv", "space.yaml"]
)
def test_a_folder_with_files_that_may_be_somebody_s_own_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    own = tmp_path / "run" / name
    own.parent.mkdir(parents=True)
    own.write_text("mine", encoding="utf-8")
    space = write(tmp_path, OPEN)
    assert main([str(space), "--inline", "--out", str(tmp_path / "run")]) == 2
    assert "is there without the journal of a run: it may be yours" in capsys.readouterr().err
    assert own.read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "run" / "journal.jsonl").exists()


def test_a_run_may_begin_beside_its_own_space_file(tmp_path: Path) -> None:
    space = write(tmp_path, OPEN)
    plan, survey = resolved_of(tmp_path, OPEN)
    require_room(tmp_path, plan, survey, text=space.read_text(encoding="utf-8"))
    text = space.read_text(encoding="utf-8")
    space.write_bytes(text.replace("\n", "\r\n").encode())  # as written on Windows
    require_room(tmp_path, plan, survey, text=text)
    with pytest.raises(ConfigError, match=r"space.yaml: is there without the journal"):
        require_room(tmp_path, plan, survey, text="study: another")


def test_compiling_without_a_compiler_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    command = [str(write(tmp_path, OPEN)), "--inline", "--out", str(tmp_path / "run")]
    assert main([*command, "--set", "training.execution=compile"]) == 2
    assert "training.execution: compile needs a C++ compiler" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("return images.astype(np.uint8), labels", "return images.astype(np.uint8), labels * 1.0",
         "its train labels are float64; return int64"),
        ("return images.astype(np.uint8), labels", "return images.astype(np.uint8), labels[:0]",
         "its train labels are of shape (0,); return"),
        ("classes, image_size, train, test = 2", "classes, image_size, train, test = 3",
         "says it has 3 classes, but no train label is 2"),
    ],
    ids=["float labels", "no labels", "a class without labels"],
)  # fmt: skip
def test_labels_of_a_data_set_of_somebody_s_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, message: str
) -> None:
    assert old in DATA
    part = tmp_path / "own_data.py"
    part.write_text(DATA.replace(old, new), encoding="utf-8")
    data = f"data={{name: '{part}:STRIPES', validation: 16}}"
    assert main([str(write(tmp_path, OPEN)), "--plan", "--set", data]) == 2
    assert message in capsys.readouterr().err


def test_a_plan_notes_what_this_machine_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    space = str(write(tmp_path, OPEN))
    assert main([space, "--plan", "--set", "resources.cpu=5000"]) == 0
    assert "note: --set resources.cpu=5000: resources.cpu: a trial asks for 5000" in (
        capsys.readouterr().out
    )
    assert main([space, "--plan", "--set", "resources.gpu=1"]) == 0
    assert "resources.gpu: a trial asks for 1, but this machine has 0" in (
        capsys.readouterr().out
    )
    assert main([space, "--plan"]) == 0
    assert "note: " not in capsys.readouterr().out


def test_a_plan_says_what_a_sampler_hears_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Trials that stop early or pause teach some samplers nothing."""
    space = str(write(tmp_path, OPEN))

    def told(sampler: str, scheduler: str) -> str:
        given = (f"search={{sampler: {sampler}, trials: 30}}", f"scheduler={scheduler}",
                 "training.epochs=4")  # fmt: skip
        options = [word for one in given for word in ("--set", one)]
        assert main([space, "--plan", *options]) == 0
        return " ".join(capsys.readouterr().out.split())

    assert "tpe: networks are drawn at random until 10 have ended" in told("tpe", "asha")
    assert "cmaes: networks are drawn at random until 10 have run to" in told("cmaes", "asha")
    paused = told("tpe", "one_epoch")
    assert "tpe: hears of a network when its trial has ended, and one_epoch pauses" in paused
    assert "hears of a network" not in told("random", "one_epoch")
