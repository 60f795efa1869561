"""However images reach the device, the pixels are the same, and so is what is trained."""

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from res2net import parse
from search.engine.training import Trainer
from search.images.cache import build
from search.images.decoding import decode
from search.images.splits import Split, Splits, Undecoded, load
from search.images.storage import keeps_pixels, request_of
from search.images.stores import Room, make_store
from search.images.tree import read_tree
from search.schema.data import Data, PlannedData, planned_data
from tests.search.engine.benches import bench_on, recipe
from tests.search.images.trees import plant

CPU = torch.device("cpu")
CLASSES = ("ant", "bee", "cow", "dog")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = plant(tmp_path_factory.mktemp("images"), CLASSES, train=20, val=5, side=24)
    (root / "train" / "cow" / "00007.png").write_bytes(b"nothing")
    return root


def data_of(root: Path, storage: str) -> PlannedData:
    data = Data.model_validate(
        {
            "name": "imagefolder",
            "root": str(root),
            "classes": CLASSES,
            "validation": 16,
            "train": 64,
            "resolution": 16,
            "storage": storage,
            "test": 20,
        }
    )
    return planned_data(data)


def splits_of(root: Path, storage: str) -> Splits:
    data = data_of(root, storage)
    tree = read_tree(root, classes=None, images_per_class=None, place=str)
    for files in (tree.train, tree.test):
        request = request_of(files, data, root)
        build(request, workers=1, place=str, advance=lambda _done, _total: None)
    return load(data, root)


def test_decoded_once_or_each_time_the_splits_are_the_same(root: Path) -> None:
    kept, anew = splits_of(root, "cached"), splits_of(root, "decoded")
    assert isinstance(kept.train.images, torch.Tensor)
    assert isinstance(anew.train.images, Undecoded)
    for ours, theirs in zip(kept[:3], anew[:3], strict=True):
        assert torch.equal(ours.rows, theirs.rows)
        assert torch.equal(ours.labels, theirs.labels)
    assert torch.equal(kept.mean, anew.mean)
    assert len(kept.train.labels) == 4 * 20 - 1 - 16, "one is damaged"


def test_mean_and_std_are_those_of_the_pixels_trained_on(root: Path) -> None:
    splits = splits_of(root, "cached")
    assert isinstance(splits.train.images, torch.Tensor)
    pixels = splits.train.images[splits.train.rows].reshape(-1, 3).double()
    assert torch.allclose(splits.mean.double(), pixels.mean(0), rtol=1e-6)
    assert torch.allclose(splits.std.double(), pixels.std(0, unbiased=False), rtol=1e-5)


def test_validation_and_test_share_no_image_with_train(root: Path) -> None:
    splits = splits_of(root, "cached")
    train, validation = (set(split.rows.tolist()) for split in splits[:2])
    assert not train & validation
    assert len(splits.test.rows) == 4 * 5
    counts = torch.bincount(splits.validation.labels)
    assert counts.tolist() == [4] * 4


@pytest.mark.parametrize("how", ["resident", "mapped", "decoded", "decoded by processes"])
def test_every_store_gives_the_pixels_of_the_files(
    root: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    split = splits_of(root, "decoded" if "decoded" in how else "cached").train
    if how == "mapped":
        monkeypatch.setattr("search.images.stores._RESIDENT_ON_CPU", 0)
    workers = 2 if how == "decoded by processes" else 0
    store = make_store(split, CPU, lambda images: 255 - images, room=room(), workers=workers)
    chosen = torch.split(torch.randperm(len(split.rows)), 10)
    files = read_tree(root, classes=None, images_per_class=None, place=str).train
    seen = 0
    for positions, gathered in zip(chosen, store.batches(chosen), strict=True):
        ours = gathered.images[gathered.positions].numpy()
        for image, row in zip(ours, split.rows[positions].tolist(), strict=True):
            assert np.array_equal(255 - image, decode(files.folder / files.names[row], 18))
            seen += 1
    assert seen == len(split.rows)


def test_images_that_find_no_room_on_the_device_after_all_are_gathered(root: Path) -> None:
    """As where another process fills the GPU."""
    split = splits_of(root, "cached").train

    def prepare(images: torch.Tensor) -> torch.Tensor:
        if len(images) > 10:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return 255 - images

    store = make_store(split, CPU, prepare, room=room(), workers=0)
    (gathered,) = store.batches([torch.arange(10)])
    assert isinstance(split.images, torch.Tensor)
    assert torch.equal(gathered.images, 255 - split.images[split.rows[:10]])


def room() -> Room:
    return Room(CPU, share=1.0)


def test_room_is_for_all_splits_together() -> None:
    once = room()
    assert once.take(1 << 29)
    assert once.take(1 << 29)
    assert not once.take(1)


def begun(root: Path, *, batch: int) -> tuple[Any, tuple[torch.Tensor, ...], Any]:
    """A store whose processes decode, its batches in order, and a pass that gave the first."""
    split = splits_of(root, "decoded").train
    store = make_store(split, CPU, lambda each: each, room=room(), workers=2)
    chosen = torch.split(torch.arange(len(split.rows)), batch)
    passed = store.batches(chosen)
    next(passed)
    return store, chosen, passed


def test_a_decoding_process_that_dies_costs_the_pass_and_no_later_one(root: Path) -> None:
    store, chosen, passed = begun(root, batch=1)
    for worker in store._loader._iterator._workers:
        os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(OSError, match="a process that decodes images has ended"):
        list(passed)
    assert len(list(store.batches(chosen))) == len(chosen)


def test_decoded_images_come_again_when_a_pass_was_broken_off(root: Path) -> None:
    store, chosen, passed = begun(root, batch=8)
    passed.close()
    whole = torch.cat([batch.images for batch in store.batches(chosen)])
    kept = splits_of(root, "cached").train
    assert isinstance(kept.images, torch.Tensor)
    assert torch.equal(whole, kept.images[kept.rows])


def test_a_mended_image_moves_no_other_between_train_and_validation(tmp_path: Path) -> None:
    root = plant(tmp_path, CLASSES, train=20, val=5, side=24)
    path = root / "train" / "cow" / "00007.png"
    whole = path.read_bytes()
    path.write_bytes(b"nothing")
    damaged = splits_of(root, "cached")
    path.write_bytes(whole)
    mended = splits_of(root, "cached")
    for before, after in zip(damaged[:2], mended[:2], strict=True):
        assert set(before.rows.tolist()) <= set(after.rows.tolist())


@pytest.mark.usefixtures("one_thread")
def test_training_does_not_depend_on_the_store(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def weights(splits: Splits) -> dict[str, torch.Tensor]:
        training = recipe(epochs=2, batch_size=16, resized_crop=(0.3, 1.0), flip=True)
        bench = bench_on(training, splits, resolution=16, workers=0)
        trainer = Trainer(parse("res2next11_2c2w3s_4p_4classes"), bench, epochs=2, seed=1)
        for _ in range(2):
            trainer.epoch(trial=0)
        trainer.scores("test")
        state: dict[str, torch.Tensor] = trainer.state()["network"]
        return state

    resident = weights(splits_of(root, "cached"))
    decoded = weights(splits_of(root, "decoded"))
    monkeypatch.setattr("search.images.stores._RESIDENT_ON_CPU", 0)
    mapped = weights(splits_of(root, "cached"))
    for key, tensor in resident.items():
        assert torch.equal(tensor, decoded[key]), key
        assert torch.equal(tensor, mapped[key]), key


def test_sets_too_large_for_a_cache_are_decoded_each_time(root: Path) -> None:
    assert keeps_pixels(data_of(root, "auto"))
    large = data_of(root, "auto").model_copy(update={"train": 1_281_167, "resize": 256})
    assert not keeps_pixels(large), "ImageNet takes 252 GB"


def test_a_whole_split_in_memory_is_not_copied() -> None:
    images = torch.zeros(8, 4, 4, 3, dtype=torch.uint8)
    split = Split(images, torch.arange(8), torch.zeros(8, dtype=torch.int64))
    store = make_store(split, CPU, lambda each: each, room=room(), workers=0)
    (batch,) = store.batches([torch.arange(8)])
    assert batch.images.data_ptr() == images.data_ptr()
