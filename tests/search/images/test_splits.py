"""Images: split without leaks, checked before use."""

import hashlib
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from search.images.official import require
from search.images.splits import load
from search.schema.data import Data, planned_data
from search.schema.datasets import DATASETS
from search.schema.yaml import ConfigError

NOWHERE = Path("nowhere")


def as_rows(images: torch.Tensor) -> set[bytes]:
    return {image.tobytes() for image in images.numpy()}


def test_digits_are_scikit_learn_s_and_split_without_leaks() -> None:
    splits = load(planned_data(Data(name="digits", validation=240)), NOWHERE)
    sizes = [len(part.labels) for part in (splits.train, splits.validation, splits.test)]
    assert sizes == [1197, 240, 360]
    rows = [as_rows(part.images) for part in (splits.train, splits.validation, splits.test)]
    assert not rows[0] & rows[1]
    assert not rows[0] & rows[2]
    assert not rows[1] & rows[2]
    theirs = load_digits()
    grey = np.round(theirs.images * (255 / 16)).astype(np.uint8)[..., None].repeat(3, axis=3)
    ours = [
        (image.tobytes(), int(label))
        for part in (splits.train, splits.validation, splits.test)
        for image, label in zip(part.images.numpy(), part.labels, strict=True)
    ]
    assert sorted(ours) == sorted(
        (image.tobytes(), int(label)) for image, label in zip(grey, theirs.target, strict=True)
    )


def test_a_cut_is_even_over_the_classes_and_the_same_for_every_study() -> None:
    one, again = (
        load(planned_data(Data(name="digits", validation=240)), NOWHERE) for _ in range(2)
    )
    assert torch.equal(one.validation.images, again.validation.images)
    for part in (one.validation, one.test):
        counts = torch.bincount(part.labels)
        assert counts.max() - counts.min() <= 1


def test_a_limit_on_train_leaves_validation_and_test_alone() -> None:
    whole = load(planned_data(Data(name="digits", validation=240)), NOWHERE)
    part = load(planned_data(Data(name="digits", validation=240, train=100)), NOWHERE)
    assert len(part.train.labels) == 100
    assert torch.bincount(part.train.labels).min() >= 9
    assert torch.equal(part.train.images, whole.train.images[:100])
    assert torch.equal(part.validation.images, whole.validation.images)


def test_mean_and_std_are_those_of_the_training_pixels() -> None:
    splits = load(planned_data(Data(name="synthetic", validation=64)), NOWHERE)
    pixels = splits.train.images.reshape(-1, 3).double()
    assert torch.allclose(splits.mean.double(), pixels.mean(0), rtol=1e-6)
    assert torch.allclose(splits.std.double(), pixels.std(0, unbiased=False), rtol=1e-6)


def test_cifar100_is_read_as_torchvision_reads_it(real_images: Path) -> None:
    from torchvision.datasets import CIFAR100  # noqa: PLC0415 - seconds, only with the images

    require("cifar100", real_images, place="here")
    # All of them in two parts; the mean and std of the smaller one are quickly counted.
    splits = load(planned_data(Data(name="cifar100", validation=45_000)), real_images)
    theirs = CIFAR100(real_images, train=False)
    assert np.array_equal(splits.test.images.numpy(), theirs.data)
    assert splits.test.labels.tolist() == theirs.targets
    train = CIFAR100(real_images, train=True)
    ours = torch.cat([splits.train.images, splits.validation.images])
    assert as_rows(ours) == {image.tobytes() for image in train.data}
    assert torch.bincount(splits.validation.labels).tolist() == [450] * 100


def test_missing_images_say_where_it_looked_and_how_to_get_them(tmp_path: Path) -> None:
    """There is no network in the tests; where there is one, the download takes minutes."""
    with pytest.raises(ConfigError) as caught:
        require("cifar100", tmp_path / "new" / "data", place="space.yaml:7")
    message = str(caught.value)
    assert not any(tmp_path.iterdir()), "nothing is left of the download"
    assert message.startswith("space.yaml:7: cifar100 is not there: looked in ")
    assert str(tmp_path / "new/data/cifar-100-python") in message
    assert "set data.root to the folder" in message


def fetch(root: Path, *, download: bool) -> None:
    """Download as torchvision does: not again what is there, and not all of it at once."""
    assert download
    if not (root / "tiny" / "all").exists():
        (root / "tiny").mkdir()  # fails where somebody else is at it
        time.sleep(0.2)
        (root / "tiny" / "all").write_bytes(b"images")


def test_of_two_starts_at_once_one_downloads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = DATASETS["cifar100"]._replace(
        folder="tiny", md5={"all": hashlib.md5(b"images").hexdigest()},
        download=f"{__name__}:fetch",
    )  # fmt: skip
    monkeypatch.setitem(DATASETS.ours, "tiny", tiny)
    with ThreadPoolExecutor(2) as starts:
        both = [
            starts.submit(require, "tiny", tmp_path / "new", place="here") for _ in range(2)
        ]
        for one in both:
            one.result()
    assert [path.name for path in (tmp_path / "new").rglob("*")] == ["tiny", "all"]


def test_a_damaged_file_is_named_with_both_md5s(tmp_path: Path, real_images: Path) -> None:
    folder = shutil.copytree(real_images / "cifar-100-python", tmp_path / "cifar-100-python")
    with (folder / "test").open("r+b") as file:
        file.seek(1000)
        file.write(b"\0")
    with pytest.raises(ConfigError, match=f"test is damaged: its md5 is .*{official('test')}"):
        require("cifar100", tmp_path, place="here")


def official(file: str) -> str:
    return DATASETS["cifar100"].md5[file]


def test_the_md5s_are_torchvision_s() -> None:
    from torchvision import datasets  # noqa: PLC0415 - seconds

    for name, maker in (("cifar10", datasets.CIFAR10), ("cifar100", datasets.CIFAR100)):
        theirs = dict(maker.train_list + maker.test_list)
        assert DATASETS[name].md5 == theirs
        assert DATASETS[name].folder == maker.base_folder
