"""Plans of data sets whose files are not there: by what is published, or by what is written."""

import shutil
from pathlib import Path

import pytest

from analysis import report
from search import run
from search.preparation import open_space, prepare
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
    assert "nowhere is not there: no image was looked at" in capsys.readouterr().out
    assert run.main(["space.yaml", "--inline"]) == 2
    assert "data.root" in capsys.readouterr().err
    assert not Path("runs").exists()


def test_the_numbers_are_checked_where_the_files_are(tmp_path: Path) -> None:
    plant(tmp_path / "tree", ("a", "b"), train=60, val=1)
    name = ("data.name=imagefolder", f"data.root={tmp_path / 'tree'}")
    data = planned(tmp_path, *name, "data.images=120")
    assert not data.unseen
    assert data.train == 20
    with pytest.raises(ConfigError, match=r"images: 121 were said to be there, .* has 120 "):
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
    monkeypatch.setattr("search.closing.draw", lambda *_, **__: None, raising=False)
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
    assert "best 2 of 2 networks" in shown
    assert (tmp_path / "runs/unseen/journal.jsonl").read_bytes() == journal
    assert report.main(["runs/unseen"]) == 0
    more = [*command, "--set", "search.seeds=2"]  # more trials want the images, where it says
    for elsewhere in (tmp_path / "nope", tmp_path / "elsewhere" / "train"):
        assert run.main([*more, "--set", f"data.root={elsewhere}"]) == 2
    assert run.main(more) == 2
    assert "tree is not there" in capsys.readouterr().err
    assert run.main([*command, "--set", "data.validation=4"]) == 2  # not the images of the run


def test_another_choice_than_the_finished_study_s_is_not_taken_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data are gone; an empty folder stays, as a disk that is not mounted leaves it."""
    monkeypatch.chdir(tmp_path)
    root = plant(tmp_path / "tree", ("a", "b", "c"), train=20, val=2, side=20)
    text = """\
study: gone
network: {planes: 2, depth: 11, width: 2, scale: [1]}
data: {name: imagefolder, root: ROOT, resolution: 16, validation: 8, classes: [a, b]}
training: {epochs: 1, batch_size: 8, lr: 0.1, precision: fp32}
search: {sampler: grid}
""".replace("ROOT", str(root))
    Path("space.yaml").write_text(text, encoding="utf-8")
    assert run.main(["space.yaml", "--inline"]) == 0
    shutil.rmtree(root)
    root.mkdir()
    Path("ab.txt").write_text("b\na\n", encoding="utf-8")
    Path("ac.txt").write_text("a\nc\n", encoding="utf-8")
    for same in ("data.classes=[b, a]", "data.classes=ab.txt", "data.classes=2"):
        assert run.main(["space.yaml", "--inline", "--set", same]) == 0, same
    for other in (
        "data.classes=[a, c]", "data.classes=ac.txt", "data.classes=3", "data.digest=zzz",
        "data.test=5",
    ):  # fmt: skip
        assert run.main(["space.yaml", "--inline", "--set", other]) == 2, other
    assert "nothing to run" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"# none\n\n", r"data.classes: .*list.txt names no class"),
        (b"n01\nn02\nn01\n", r"list.txt:3 'n01' stands twice .first at .*list.txt:1"),
    ],
)
def test_a_list_file_is_held_to_what_it_is_with_the_files(
    content: bytes, message: str, tmp_path: Path
) -> None:
    lines = tmp_path / "list.txt"
    lines.write_bytes(content)
    for name in ("imagenet", "imagefolder"):
        with pytest.raises(ConfigError, match=message):
            planned(tmp_path, f"data.name={name}", "data.images=900", f"data.classes={lines}")
    lines.write_bytes("café\nthé\n".encode("cp1252"))
    assert planned(tmp_path, f"data.classes={lines}").classes == 2


def test_more_images_of_a_class_than_any_has_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"images_per_class: 2,000 is more than the 1,300"):
        planned(tmp_path, "data.images_per_class=2000")
    assert planned(tmp_path, "data.classes=10", "data.images_per_class=800").train == 7_900
