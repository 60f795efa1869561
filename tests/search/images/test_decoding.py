"""Decoding: torchvision's bytes, or a reason why not."""

import io
import pickle
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.datasets.folder import pil_loader
from torchvision.transforms import CenterCrop, Compose, Resize

from search.images.decoding import DamagedError, decode, decode_all

MODES = ["RGB", "L", "P", "RGBA", "LA", "1", "CMYK"]  # of 8 bits, none transparent
SAVED = {
    "JPEG": {"quality": 80},
    "progressive": {"format": "JPEG", "progressive": True},
    "PNG": {},
    "WEBP": {"quality": 80},
    "BMP": {},
    "PPM": {},
}  # fmt: skip


def picture(width: int, height: int, mode: str = "RGB", seed: int = 0) -> Image.Image:
    """Blots, as photographs have, in any mode."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    return image.convert(mode)


def torchvision_s(path: Path, side: int) -> npt.NDArray[np.uint8]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(Compose([Resize(side), CenterCrop(side)])(pil_loader(str(path))))


@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 70), st.sampled_from(MODES))
@example(64, 64, 64, "RGB")
@example(33, 64, 32, "RGB")
@example(1, 90, 70, "L")
def test_the_bytes_are_torchvision_s(
    tmp_path_factory: pytest.TempPathFactory, width: int, height: int, side: int, mode: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    picture(width, height, mode).save(path, "JPEG" if mode == "CMYK" else "PNG")
    image = decode(path, side)
    assert image.shape == (side, side, 3)
    assert image.dtype == np.uint8
    assert image.flags.writeable
    assert np.array_equal(image, torchvision_s(path, side))


@pytest.mark.parametrize("kind", SAVED)
def test_every_format_whatever_its_name_says(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "photograph.JPEG"
    picture(500, 375).save(path, **{"format": kind} | SAVED[kind])
    for side in (64, 224, 400):
        assert np.array_equal(decode(path, side), torchvision_s(path, side))


def test_photographs(imagenette: Path) -> None:
    paths = sorted(imagenette.glob("val/*/*"))[::200]
    assert len(paths) > 10
    for path in paths:
        for side in (64, 128, 160):
            assert np.array_equal(decode(path, side), torchvision_s(path, side))


def test_pillow_s_warnings_stay_inside(tmp_path: Path) -> None:
    """A palette with an alpha for each colour, of which Pillow warns."""
    path = tmp_path / "palette.png"
    picture(20, 20, "P").save(path, transparency=bytes(range(256)))
    with pytest.warns(UserWarning, match="Transparency"):
        pil_loader(str(path))
    filters = list(warnings.filters)
    decode(path, 10)
    assert warnings.filters == filters


@cache
def stored(kind: str) -> bytes:
    file = io.BytesIO()
    picture(37, 29).save(file, **{"format": kind} | SAVED[kind])
    return file.getvalue()


@settings(max_examples=100)
@given(st.sampled_from(list(SAVED)), st.floats(0, 1, exclude_max=True))
def test_a_truncated_file_is_never_padded(
    tmp_path_factory: pytest.TempPathFactory, kind: str, share: float
) -> None:
    """Its pixels are all there, or it is damaged."""
    path = tmp_path_factory.getbasetemp() / "cut"
    path.write_bytes(stored(kind))
    whole = decode(path, 16)
    path.write_bytes(stored(kind)[: int(len(stored(kind)) * share)])
    try:
        image = decode(path, 16)
    except DamagedError:
        return
    assert np.array_equal(image, whole)


@settings(max_examples=100)
@given(st.sampled_from(list(SAVED)), st.data())
def test_broken_bytes_are_read_or_damaged_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "broken"
    content = bytearray(stored(kind))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    reason = "none"
    try:
        assert decode(path, 16).shape == (16, 16, 3)
    except DamagedError as error:
        reason = error.reason
    assert reason
    assert "\n" not in reason


def bomb() -> bytes:
    """The head of a picture of 20,000 x 20,000 pixels."""
    return b"P6\n20000 20000\n255\n" + bytes(100)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"<html>404 Not Found</html>", "is not an image"),
        (stored("JPEG")[:-200], "truncated"),
        (stored("PNG")[:-200], "truncated"),
        (stored("BMP")[:-200], "truncated"),
        (bomb(), "exceeds limit .* decompression bomb"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is not an image"),
    ],
)
def test_damage_has_a_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "x.jpg"
    path.write_bytes(content)
    with pytest.raises(DamagedError, match=f"x.jpg: .*{reason}") as caught:
        decode(path, 32)
    assert str(tmp_path) not in caught.value.reason
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.path, again.reason) == (path, caught.value.reason)


def test_a_line_of_pixels_is_no_way_to_fill_the_memory(tmp_path: Path) -> None:
    Image.new("RGB", (1, 60_000)).save(tmp_path / "line.png")
    with pytest.raises(DamagedError, match="is 1 x 60000 pixels, too narrow for 128"):
        decode(tmp_path / "line.png", 128)


def test_a_file_that_is_gone_is_not_damaged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        decode(tmp_path / "gone.jpg", 8)
    with pytest.raises(IsADirectoryError):
        decode(tmp_path, 8)


@pytest.mark.parametrize("workers", [1, 2])
def test_many_come_in_order_with_exact_sums(tmp_path: Path, workers: int) -> None:
    names = tuple(f"{number}.png" for number in range(150))
    for number, name in enumerate(names):
        picture(9, 9, seed=number).save(tmp_path / name)
    (tmp_path / "100.png").write_bytes(b"")
    chunks = list(decode_all(tmp_path, names, 6, keep_pixels=True, workers=workers))
    assert [len(chunk.sums) for chunk in chunks] == [64, 64, 22]
    assert [chunk.damaged for chunk in chunks] == [(), ((36, "is empty"),), ()]
    pixels = np.concatenate([chunk.pixels for chunk in chunks if chunk.pixels is not None])
    sums = np.concatenate([chunk.sums for chunk in chunks])
    assert not pixels[100].any()
    for number in (0, 63, 64, 99, 149):
        assert np.array_equal(pixels[number], decode(tmp_path / names[number], 6))
    exact = pixels.reshape(150, -1, 3).astype(np.int64)
    assert np.array_equal(sums, np.hstack([exact.sum(1), (exact**2).sum(1)]))


def test_sums_alone_need_no_pixels(tmp_path: Path) -> None:
    picture(300, 300).save(tmp_path / "x.png")
    (alone,) = decode_all(tmp_path, ["x.png"], 256, keep_pixels=False, workers=1)
    (whole,) = decode_all(tmp_path, ["x.png"], 256, keep_pixels=True, workers=1)
    assert alone.pixels is None
    assert np.array_equal(alone.sums, whole.sums)
