"""Plans of data sets whose files are not there: by what is published, or by what is written."""

import shutil
from pathlib import Path

import pytest

from analysis import report
from search import run
from search.images.resolve import resolve_data
from search.preparation import open_space, prepare
from search.schema.data import PlannedData
from search.schema.yaml import ConfigError
from tests.search.images.trees import plant

SPACE = """\
study: unseen
network: {skeleton: imagenet, planes: 8, depth: 26, width: 4, scale: [1, 2]}
data: {name: imagenet, root: nowhere, validation: 100, resolution: 32}
training: {epochs: 1, batch_size: 8, lr: 0.1, precision: fp32}
search: {sampler: grid}
"""


def planned(folder: Path, *overrides: str, text: str = SPACE) -> object:
    path = folder / "space.yaml"
    path.write_text(text, encoding="utf-8")
    return prepare(open_space(path, overrides), unseen=True).plan.data


@pytest.mark.parametrize(
    ("overrides", "classes", "train", "test"),
    [
        ((), 1000, 1_281_067, 50_000),
        (("data.images_per_class=732",), 1000, 731_900, 50_000),
        (("data.classes=100", "data.images_per_class=1300"), 100, 128_017, 5_000),
        (("data.classes=7", "data.images=805", "data.images_per_class=115"), 7, 705, 0),
        (("data.classes=100",), 100, 128_017, 5_000),
        (("data.classes=[a, b]",), 2, 2_462, 100),
        (("data.classes=10", "data.images_per_class=50"), 10, 400, 500),
        (("data.train=1000",), 1000, 1_000, 50_000),
        (
            ("data.name=imagefolder", "data.classes=10", "data.images=9469", "data.test=3925"),
            10, 9_369, 3_925,
        ),
        (("data.classes=7", "data.images=800"), 7, 700, 0),
    ],
)  # fmt: skip
def test_numbers_are_what_is_known(
    overrides: tuple[str, ...], classes: int, train: int, test: int, tmp_path: Path
) -> None:
    data = planned(tmp_path, *overrides)
    assert (data.classes, data.train, data.test) == (classes, train, test)
    assert data.unseen
    assert data.tree


def test_a_list_file_is_counted(tmp_path: Path) -> None:
    lines = tmp_path / "list.txt"
    lines.write_text("# ours\nn01440764 tench\ngolden retriever\n\n", encoding="utf-8")
    assert planned(tmp_path, f"data.classes={lines}").classes == 2


def test_a_list_in_the_encoding_of_windows_is_counted_as_with_a_tree(tmp_path: Path) -> None:
    lines = tmp_path / "list.txt"
    lines.write_bytes("# été\ncafé\nthé\n".encode("cp1252"))
    assert planned(tmp_path, f"data.classes={lines}").classes == 2
    plant(tmp_path / "tree", ("café", "thé"), train=60, val=1)
    there = f"data.root={tmp_path / 'tree'}"
    assert planned(tmp_path, f"data.classes={lines}", there).classes == 2


@pytest.mark.parametrize("tree", ["data.name=imagenet", "data.name=imagefolder"])
@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("# nothing\n\n", r"data.classes: .*list.txt names no class; name some"),
        ("", r"data.classes: .*list.txt names no class; name some"),
        ("n1\nn2\n\nn1\n", r"list.txt:4 'n1' is listed twice \(first at .*list.txt:1\)"),
        ("n1 tench\nn2\nn1\n", r"list.txt:3 'n1' is listed twice"),
    ],
)
def test_lists_are_refused_as_with_a_tree(
    tree: str, lines: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "list.txt"
    path.write_text(lines, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        planned(tmp_path, tree, f"data.classes={path}", "data.images=9000")


def test_names_are_refused_as_with_a_tree(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"data.classes: 'a' is listed twice"):
        planned(tmp_path, "data.classes=[a, b, a]")


@pytest.mark.parametrize(
    ("overrides", "most"),
    [
        (("data.images_per_class=2000",), "732"),
        (("data.images_per_class=733",), "732"),  # all classes: the smallest is among them
        (("data.images_per_class=1301", "data.classes=100"), "1,300"),
        (("data.images_per_class=1301", "data.classes=[a, b]"), "1,300"),
        (("data.images_per_class=116", "data.classes=7", "data.images=805"), "115"),
    ],
)
def test_more_images_of_each_class_than_it_can_have_are_refused(
    overrides: tuple[str, ...], most: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=rf"images_per_class: .* than the {most} images that"):
        planned(tmp_path, *overrides)


def test_an_empty_folder_is_planned_as_one_that_is_not_there(tmp_path: Path) -> None:
    """As the place of a disk that is not mounted."""
    root = tmp_path / "disk"
    root.mkdir()
    assert planned(tmp_path, f"data.root={root}").unseen
    with pytest.raises(ConfigError, match=r"data.root: .*disk is empty; give the folder"):
        planned(tmp_path, f"data.root={root}", "data.name=imagefolder")
    (root / "train").mkdir()
    with pytest.raises(ConfigError, match=r"data.root: .*disk has no val/"):
        planned(tmp_path, f"data.root={root}")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.name=imagefolder", r"not there; .* without it, write classes .how many. and im"),
        ("data.classes=1001", r"data.classes: 1,001 is more than the 1,000 classes of"),
        ("data.train=2000000", r"data.validation: .* more than the 1,281,167 training images"),
    ],
)  # fmt: skip
def test_what_is_not_known_or_not_there_is_refused(
    override: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        planned(tmp_path, override)


def test_the_plan_says_so_and_a_run_wants_the_images(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("space.yaml").write_text(SPACE, encoding="utf-8")
    assert run.main(["space.yaml", "--plan"]) == 0
    assert "nowhere is missing or empty: no image was looked at" in capsys.readouterr().out
    assert run.main(["space.yaml", "--inline"]) == 2
    assert "data.root" in capsys.readouterr().err
    assert not Path("runs").exists()


def test_the_numbers_are_checked_where_the_files_are(tmp_path: Path) -> None:
    plant(tmp_path / "tree", ("a", "b"), train=60, val=1)
    name = ("data.name=imagefolder", f"data.root={tmp_path / 'tree'}")
    data = planned(tmp_path, *name, "data.images=120")
    assert not data.unseen
    assert data.train == 20
    with pytest.raises(ConfigError, match=r"images: 121 images are expected, .* has 120 "):
        planned(tmp_path, *name, "data.images=121")
    limited = (*name, "data.images=120", "data.images_per_class=55")
    assert planned(tmp_path, *limited).train == 10


def test_paths_take_the_home_folder_and_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(tmp_path / "sets" / "tree", ("a", "b"), train=60, val=1)
    plant(tmp_path / "$SETS", ("a", "b", "c"), train=60, val=1)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SETS", str(tmp_path / "sets"))
    monkeypatch.chdir(tmp_path)
    for root in ("~/sets/tree", "$SETS/tree", "${SETS}/tree", "$HOME/sets/tree"):
        data = planned(tmp_path, "data.name=imagefolder", f"data.root={root}")
        assert (data.classes, data.unseen) == (2, False)
    assert planned(tmp_path, "data.name=imagefolder", "data.root=$SETS").classes == 3, (
        "a folder that is called so comes first"
    )


def test_a_finished_study_is_shown_when_its_images_are_gone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    root = plant(tmp_path / "tree", ("a", "b"), train=20, val=2, side=20)
    text = SPACE.replace("nowhere", str(root)).replace("imagenet, root", "imagefolder, root")
    text = text.replace("skeleton: imagenet, ", "").replace("depth: 26", "depth: 11")
    text = text.replace("planes: 8", "planes: 2").replace("validation: 100", "validation: 8")
    Path("space.yaml").write_text(text, encoding="utf-8")
    command = [
        "space.yaml",
        "--inline",
        "--set",
        "data.resize=16",
        "--set",
        "data.resolution=16",
    ]
    assert run.main(command) == 0
    journal = (tmp_path / "runs/unseen/journal.jsonl").read_bytes()
    root.rename(tmp_path / "elsewhere")
    capsys.readouterr()
    assert run.main(command) == 0
    shown = capsys.readouterr().out
    assert "nothing to run: all 2 trials" in shown
    assert "best 2 of 2 fully trained networks" in shown
    assert (tmp_path / "runs/unseen/journal.jsonl").read_bytes() == journal
    for other in ("data.classes=[a, c]", "data.digest=zzz"):
        assert run.main([*command, "--set", other]) == 2
    assert report.main(["runs/unseen"]) == 0
    root.mkdir()  # where its disk was mounted
    assert run.main(command) == 0
    root.rmdir()
    more = [*command, "--set", "search.seeds=2"]  # more trials want the images, where it says
    for elsewhere in (tmp_path / "nope", tmp_path / "elsewhere" / "train"):
        assert run.main([*more, "--set", f"data.root={elsewhere}"]) == 2
    assert run.main(more) == 2
    assert "tree is not there" in capsys.readouterr().err
    assert run.main([*command, "--set", "data.validation=4"]) == 2  # not the images of the run


def finished(folder: Path, tree: Path, *, classes: str, **more: int) -> PlannedData:
    """The images of a study of a tree, which afterwards is gone."""
    data = looked_at(folder, tree, f"data.classes={classes}", **more)
    shutil.rmtree(tree)
    return data


def looked_at(
    folder: Path, tree: Path, *overrides: str, known: PlannedData | None = None, **more: int
) -> PlannedData:
    path = folder / "space.yaml"
    path.write_text(SPACE, encoding="utf-8")
    written = [f"data.{key}={value}" for key, value in more.items()]
    name = ("data.name=imagefolder", f"data.root={tree}")
    file, document = open_space(path, (*name, *overrides, *written))
    return resolve_data(file.data, document, known=known)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return plant(tmp_path / "tree", ("a", "b", "c"), train=70, val=2)


OTHERS = {
    "another class": ("data.classes=[a, c]",),
    "one class less": ("data.classes=[a]",),
    "a class twice": ("data.classes=[a, b, a]",),
    "more classes": ("data.classes=3",),
    "another list": ("data.classes=other.txt",),
    "an empty list": ("data.classes=empty.txt",),
    "no text": ("data.classes=binary.txt",),
    "another digest": ("data.digest=zzz",),
    "another test set": ("data.test=5",),
    "more images": ("data.images=141",),
    "fewer images": ("data.images=99",),
    "fewer to train on": ("data.train=39",),
    "a limit": ("data.images_per_class=60",),
    "another cut": ("data.validation=99",),
    "another resolution": ("data.resolution=16",),
}


@pytest.mark.parametrize("overrides", OTHERS.values(), ids=OTHERS)
def test_another_study_is_not_taken_for_the_finished_one(
    overrides: tuple[str, ...], tmp_path: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("other.txt").write_text("a\nc\n", encoding="utf-8")
    Path("empty.txt").write_text("# a\n# b\n", encoding="utf-8")
    Path("binary.txt").write_bytes(b"a\n\xff\n")
    known = finished(tmp_path, tree, classes="[b, a]")
    with pytest.raises(ConfigError, match=r"data.root: .*tree is not there"):
        looked_at(tmp_path, tree, *overrides, known=known)


def test_the_finished_study_is_known_by_all_that_is_written(
    tmp_path: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("list.txt").write_text("# ours\nb\n\na\n", encoding="utf-8")
    known = finished(tmp_path, tree, classes="[b, a]")
    for overrides in (
        (),
        ("data.classes=[a, b]",),
        ("data.classes=2",),
        ("data.classes=list.txt",),
        ("data.classes=gone.txt",),
        (f"data.digest={known.digest}", "data.test=4", "data.images=140", "data.train=40"),
    ):
        assert looked_at(tmp_path, tree, *overrides, known=known) == known


def test_a_limit_says_how_many_images_the_finished_study_had(
    tmp_path: Path, tree: Path
) -> None:
    known = finished(tmp_path, tree, classes="2", images_per_class=60)
    limited = ("data.classes=2", "data.images_per_class=60")
    for more in ((), ("data.images=140",), ("data.train=20",)):
        assert looked_at(tmp_path, tree, *limited, *more, known=known) == known
    for more in ("data.images=119", "data.train=19"):
        with pytest.raises(ConfigError, match=r"data.root: .*tree is not there"):
            looked_at(tmp_path, tree, *limited, more, known=known)


@pytest.mark.parametrize("split", ["train", "val"])
@pytest.mark.parametrize("empty", [False, True])
def test_a_finished_study_is_known_when_a_part_of_its_images_is_gone(
    split: str, empty: bool, tmp_path: Path, tree: Path
) -> None:
    known = looked_at(tmp_path, tree)
    shutil.rmtree(tree / split)
    if empty:
        (tree / split).mkdir()
    assert looked_at(tmp_path, tree, known=known) == known
    with pytest.raises(ConfigError, match=r"data.root: "):
        looked_at(tmp_path, tree)
