"""Images silently altered or left out: each is read as it looks, or counted with the reason."""

import colorsys
import io
import json
import os
import struct
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from rich.console import Console
from torchvision.datasets.folder import IMG_EXTENSIONS

from analysis.inside.views import opened
from search import run_study
from search.images.decoding import DamagedError, decode
from search.images.listing import list_class
from search.images.looks import as_it_looks
from search.images.preparing import make_ready
from search.images.tree import Tree, read_tree
from search.plan import picture
from search.schema.seals import sealed_document
from search.schema.yaml import ConfigError
from tests.search.images.trees import plant
from tests.search.spaces import resolved_of, write

SIDE = 24  # of square pictures, which are decoded at their own size
MODES = ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "HSV",
         "I;16", "I;16B", "I", "F", "La", "RGBa"]  # fmt: skip
Image.init()
WRITTEN = sorted(
    set(Image.SAVE) - {"PALM", "PDF", "EPS", "BUFR", "GRIB", "HDF5", "WMF"}
)  # read
SPACE = """\
study: looks
network: {planes: 2, depth: 11, width: 2, scale: [1]}
data: {name: imagefolder, root: ROOT, resolution: 16, validation: 4}
training: {epochs: 1, batch_size: 4, lr: 0.1, precision: fp32}
search: {sampler: grid, seed: 0}
"""
Pixels = npt.NDArray[np.float64]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing drawn where nobody looks; a few images are decoded by this process."""
    monkeypatch.setattr("search.api.draw_summary", lambda *_, **__: 0)
    monkeypatch.setattr("search.images.preparing.usable_cores", lambda: 1)


def picture_of(mode: str) -> Image.Image:
    """A smooth picture of a mode, with everything that its numbers can say."""
    ramp = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    if mode.startswith("I;16"):
        kind = ">u2" if mode == "I;16B" else "<u2"
        values = (ramp * 113).astype(kind)
        return Image.frombytes(mode, (SIDE, SIDE), values.tobytes())
    if mode == "I":
        return Image.fromarray((ramp * 113).astype(np.int32))
    if mode == "F":
        return Image.fromarray((ramp / ramp.max()).astype(np.float32))
    bands = len(Image.new(mode, (1, 1)).getbands())
    waves = [127.5 + 127.5 * np.sin(ramp * (0.006 + 0.004 * band)) for band in range(bands)]
    if mode in ("1", "P"):
        grey = Image.fromarray(waves[0].round().astype(np.uint8))
        return grey.convert("1") if mode == "1" else grey.convert("RGB").quantize(40)
    if mode == "LAB":  # colours that sRGB has
        waves = [70 + waves[0] / 2, *(wave * 0.15 - 19 for wave in waves[1:])]
    data = np.stack(waves, axis=2).round().astype(np.int16).astype(np.uint8)
    if mode == "PA":
        image = picture_of("P").convert("PA")
        image.putalpha(Image.fromarray(data[..., 1]))
        return image
    if mode in ("La", "RGBa"):  # premultiplied: no colour above its alpha
        data = np.minimum(data, data[..., -1:])
    return Image.frombytes(mode, (SIDE, SIDE), data.tobytes())


def on_white(colour: Pixels, alpha: Pixels) -> Pixels:
    """Laid on white paper."""
    share = alpha[..., None] / 255
    return colour * share + 255 * (1 - share)


def grey(values: Pixels) -> Pixels:
    return np.repeat(values[..., None], 3, axis=2)


def from_lab(lab: Pixels) -> Pixels:
    """CIE L*a*b* under D50, as a TIFF has it (a and b signed), to sRGB.

    The formulas of CIE 15 and IEC 61966-2-1.
    """
    light = (lab[..., 0] * 100 / 255 + 16) / 116
    a, b = ((band + 128) % 256 - 128 for band in (lab[..., 1], lab[..., 2]))
    thirds = np.stack([light + a / 500, light, light - b / 200], axis=2)
    white = np.array([0.9642, 1.0, 0.8249])
    xyz = white * np.where(thirds > 6 / 29, thirds**3, 3 * (6 / 29) ** 2 * (thirds - 4 / 29))
    to_rgb = np.array(  # of the primaries of sRGB, adapted from D50 after Bradford
        [[3.1339, -1.6169, -0.4906], [-0.9788, 1.9161, 0.0335], [0.0719, -0.2290, 1.4052]]
    )
    linear = np.clip(xyz @ to_rgb.T, 0, 1)
    low = linear <= 0.0031308
    return 255 * np.where(low, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def from_palette(image: Image.Image, index: npt.NDArray[np.uint8]) -> Pixels:
    colours = np.zeros((256, 3))
    stored = np.array(image.getpalette("RGB")).reshape(-1, 3)
    colours[: len(stored)] = stored
    return colours[index]


def palette_alpha(image: Image.Image, index: npt.NDArray[np.uint8]) -> Pixels:
    alpha = np.full(256, 255.0)
    clear = image.info.get("transparency")
    if isinstance(clear, bytes):
        alpha[: len(clear)] = list(clear)
    elif clear is not None:
        alpha[clear] = 0
    return alpha[index]


def by_hand(image: Image.Image) -> Pixels:  # noqa: C901, PLR0911, PLR0912 - a case for each mode
    """What the numbers of an opened picture look like on paper, by its mode."""
    raw = np.asarray(image)
    data = raw.astype(np.float64)
    match image.mode:
        case "1":
            return grey(data * 255)
        case "L":
            return grey(data)
        case "LA" | "La":
            light, alpha = data[..., 0], data[..., 1]
            if image.mode == "La":
                light = light / np.maximum(alpha, 1) * 255
            return on_white(grey(light), alpha)
        case "P":
            return on_white(from_palette(image, raw), palette_alpha(image, raw))
        case "PA":
            return on_white(from_palette(image, raw[..., 0]), data[..., 1])
        case "RGB" | "RGBX":
            return data[..., :3]
        case "RGBA":
            return on_white(data[..., :3], data[..., 3])
        case "RGBa":
            alpha = data[..., 3]
            return on_white(data[..., :3] / np.maximum(alpha, 1)[..., None] * 255, alpha)
        case "CMYK":
            return (255 - data[..., :3]) * (255 - data[..., 3:]) / 255
        case "YCbCr":  # JFIF's
            y, blue, red = data[..., 0], data[..., 1] - 128, data[..., 2] - 128
            green = y - 0.344136 * blue - 0.714136 * red
            return np.stack([y + 1.402 * red, green, y + 1.772 * blue], axis=2).clip(0, 255)
        case "LAB":
            return from_lab(data)
        case "HSV":
            rgb = [colorsys.hsv_to_rgb(*pixel) for pixel in data.reshape(-1, 3) / 255]
            return np.array(rgb).reshape(data.shape) * 255
        case "I;16" | "I;16B" | "I;16L":
            return grey(data / 257)
        case "I":
            fixed = image.format in ("PNG", "PPM")  # 16 bits, whatever the picture holds
            return grey(data / (257 if fixed or data.max() > 255 else 1))
        case "F":
            white = next(white for white in (1, 255, 65535) if data.max() <= white)
            return grey(data * 255 / white)
    raise AssertionError(image.mode)


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")  # of Pillow's IM
@pytest.mark.parametrize("mode", MODES)
def test_every_mode_in_every_format_is_the_conversion_by_hand(
    mode: str, tmp_path: Path
) -> None:
    source, checked = picture_of(mode), 0
    far = 3 if mode == "LAB" else 2 if mode in ("HSV", "La", "RGBa") else 1
    pairs = [(as_it_looks(source.copy()), by_hand(source), "itself")]
    for form in WRITTEN:
        path = tmp_path / "x.jpg"
        try:
            source.save(path, form)
        except (OSError, ValueError, KeyError, AssertionError, TypeError):
            continue  # Pillow writes no such mode in that format
        with Image.open(path) as stored:
            if stored.size != (SIDE, SIDE):
                continue  # icons have sizes of their own
            pairs.append((decode(path, SIDE), by_hand(stored), f"{form}: {stored.mode}"))
        checked += 1
    assert checked or mode in ("La", "RGBa")
    for found, wanted, what in pairs:
        off = np.abs(np.asarray(found).astype(np.float64) - wanted).max()
        assert off <= far, (mode, what, off)


def test_a_ramp_of_16_bits_stays_a_ramp(tmp_path: Path) -> None:
    """The example: 99.6 % of it was white."""
    ramp = np.linspace(0, 65535, SIDE * SIDE).round().astype(np.uint16).reshape(SIDE, SIDE)
    for name in ("x.png", "x.tiff", "x.jp2"):
        Image.fromarray(ramp).save(tmp_path / name)
        image = decode(tmp_path / name, SIDE)
        assert np.array_equal(image[..., 0], np.floor(ramp / 257 + 0.5))
        assert np.array_equal(np.asarray(opened(tmp_path / name)), image), "Grad-CAM's too"


def tiff(values: bytes, *, bits: int, photometric: int = 1) -> bytes:
    """A grey TIFF of one strip, by its specification."""
    tags = [(256, SIDE), (257, SIDE), (258, bits), (259, 1), (262, photometric), (273, 200),
            (277, 1), (278, SIDE), (279, len(values))]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)
    return head.ljust(200, b"\0") + values


def png(
    colour: int, rows: npt.NDArray[Any], clear: tuple[int, ...], *, bits: int = 16
) -> bytes:
    """A PNG with a transparent colour, by its specification."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data))
            + kind
            + data
            + struct.pack(">I", zlib.crc32(kind + data))
        )

    places = np.arange(bits)[::-1]
    ones = (rows.reshape(SIDE, -1, 1) >> places & 1).reshape(SIDE, -1).astype(np.uint8)
    body = b"".join(b"\0" + np.packbits(row).tobytes() for row in ones)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, bits, colour, 0, 0, 0))
        + chunk(b"tRNS", struct.pack(f">{len(clear)}H", *clear))
        + chunk(b"IDAT", zlib.compress(body))
        + chunk(b"IEND", b"")
    )


def test_what_a_tiff_says_of_white_is_heard(tmp_path: Path) -> None:
    """12 bits: 4095 is white. Photometric 0: 0 is."""
    values = np.linspace(0, 4095, SIDE * SIDE).round().astype(int)
    pairs = values.reshape(-1, 2)
    packed = np.stack(
        [pairs[:, 0] >> 4, (pairs[:, 0] & 15) << 4 | pairs[:, 1] >> 8, pairs[:, 1] & 255], 1
    )
    (tmp_path / "12.tif").write_bytes(tiff(packed.astype(np.uint8).tobytes(), bits=12))
    found = decode(tmp_path / "12.tif", SIDE)[..., 0].ravel()
    assert np.abs(found - values * 255 / 4095).max() <= 0.5
    wide = np.linspace(0, 65535, SIDE * SIDE).round().astype("<u2")
    (tmp_path / "16.tif").write_bytes(tiff(wide.tobytes(), bits=16, photometric=0))
    found = decode(tmp_path / "16.tif", SIDE)[..., 0].ravel()
    assert np.abs(found - (255 - wide / 257)).max() <= 0.5


def test_what_stands_below_transparency_is_not_seen(tmp_path: Path) -> None:
    """A black letter on nothing is black on white, whatever colour nothing has."""
    letter = np.zeros((SIDE, SIDE, 4), np.uint8)
    letter[4:20, 10:14, 3] = 255
    wanted = 255 - letter[..., 3:].repeat(3, axis=2)
    noise = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3))
    letter[..., :3] = np.where(letter[..., 3:] == 255, 0, noise)
    Image.fromarray(letter).save(tmp_path / "rgba.webp", lossless=True, exact=True)
    Image.fromarray(letter).save(tmp_path / "rgba.png")
    flat = Image.fromarray(255 - letter[..., 3])
    flat.quantize(2).convert("P").save(tmp_path / "p.gif", transparency=0)
    Image.fromarray(np.where(letter[..., 3], 0, 7).astype(np.uint8)).save(
        tmp_path / "l.png", transparency=7
    )
    paper = np.where(letter[..., 3], 0, 1234)
    (tmp_path / "i16.png").write_bytes(png(0, paper, (1234,)))
    (tmp_path / "rgb16.png").write_bytes(
        png(2, paper[..., None] * np.array([1, 20, 50]), (1234, 24680, 61700))
    )
    for path in sorted(set(tmp_path.iterdir()) - {tmp_path / "p.gif"}):
        assert np.array_equal(decode(path, SIDE), wanted), path.name
        assert np.array_equal(np.asarray(opened(path)), wanted), path.name


@pytest.mark.parametrize(
    ("colour", "bits", "pixel", "clear", "shown"),
    [
        (0, 1, (0,), (0,), (255, 255, 255)),
        (0, 1, (0,), (1,), (0, 0, 0)),
        (0, 2, (1,), (1,), (255, 255, 255)),
        (0, 2, (1,), (2,), (85, 85, 85)),
        (0, 4, (7,), (7,), (255, 255, 255)),
        (0, 4, (7,), (119,), (255, 255, 255)),  # bits that the pixels do not have say nothing
        (0, 4, (1,), (0,), (17, 17, 17)),
        (0, 8, (7,), (7,), (255, 255, 255)),
        (0, 16, (7,), (7,), (255, 255, 255)),
        (0, 16, (7,), (8,), (0, 0, 0)),
        (2, 8, (0, 0, 200), (0, 0, 200), (255, 255, 255)),
        (2, 8, (0, 0, 200), (0, 0, 201), (0, 0, 200)),
        (2, 16, (0, 0, 200), (0, 0, 200), (255, 255, 255)),
        (2, 16, (0x0500, 0, 0), (0x0510, 0, 0), (5, 0, 0)),
        (2, 16, (0x0510, 1, 65535), (0x0510, 1, 65535), (255, 255, 255)),
        (2, 16, (0x0510, 1, 65535), (0x0510, 0, 65535), (5, 0, 255)),
    ],
)  # fmt: skip
def test_the_transparent_colour_of_a_png_has_its_bits(
    colour: int,
    bits: int,
    pixel: tuple[int, ...],
    clear: tuple[int, ...],
    shown: tuple[int, ...],
    tmp_path: Path,
) -> None:
    """A pixel is transparent where all its bits are those of the colour, else it is seen."""
    rows = np.broadcast_to(np.array(pixel), (SIDE, SIDE, len(pixel)))
    (tmp_path / "x.png").write_bytes(png(colour, rows, clear, bits=bits))
    for image in (decode(tmp_path / "x.png", SIDE), np.asarray(opened(tmp_path / "x.png"))):
        assert np.array_equal(image, np.broadcast_to(shown, (SIDE, SIDE, 3)))


UPRIGHT = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored[::-1, ::-1].swapaxes(0, 1),
    8: lambda stored: np.rot90(stored, 1),
}  # what EXIF says is to be done


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_pictures_stand_upright(kind: str, tmp_path: Path) -> None:
    stored = picture_of("RGB")
    stored.save(tmp_path / "plain", kind)
    for orientation, turned in UPRIGHT.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        stored.save(tmp_path / "turned", kind, exif=exif)
        wanted = turned(decode(tmp_path / "plain", SIDE))
        assert np.array_equal(decode(tmp_path / "turned", SIDE), wanted), orientation


def test_broken_exif_spoils_no_picture(tmp_path: Path) -> None:
    picture_of("RGB").save(tmp_path / "x.jpg", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    picture_of("RGB").save(tmp_path / "plain.jpg")
    whole = decode(tmp_path / "plain.jpg", SIDE)
    assert np.array_equal(decode(tmp_path / "x.jpg", SIDE), whole)


@pytest.mark.parametrize(
    ("mode", "values", "reason"),
    [
        ("F", [-0.5, 1.0], "values down to -0.5, and nothing says which is black"),
        ("F", [0.0, 1e6], r"values up to 1e\+06, and nothing says which is white"),
        ("F", [0.0, float("nan")], "no finite numbers"),
        ("I", [0, 70_000], "values up to 70000, and nothing says which is white"),
        ("I", [-1, 9], "values down to -1, and nothing says which is black"),
        ("I", [-1, 255], "values down to -1, and nothing says which is black"),
        ("I", [0, 256], "values up to 256, and nothing says which is white"),
        ("I", [0, 1023], "values up to 1023, and nothing says which is white"),
        ("F", [0.0, 1.02], r"values up to 1\.02, and nothing says which is white"),
        ("F", [0.0, 12.5], r"values up to 12\.5, and nothing says which is white"),
        ("F", [0.0, 258.0], "values up to 258, and nothing says which is white"),
        ("F", [-0.011, 1.0], r"values down to -0\.011, and nothing says which is black"),
    ],
)
def test_numbers_without_a_look_are_refused_with_the_reason(
    tmp_path: Path, mode: str, values: list[float], reason: str
) -> None:
    kind = np.float32 if mode == "F" else np.int32
    Image.fromarray(np.array([values], kind)).save(tmp_path / "x.tiff")
    with pytest.raises(DamagedError, match=reason):
        decode(tmp_path / "x.tiff", 1)


@pytest.mark.parametrize("white", [1, 255, 65535])
def test_floats_have_the_white_that_none_exceeds(tmp_path: Path, white: int) -> None:
    values = np.linspace(0, 1, SIDE * SIDE).reshape(SIDE, SIDE)
    Image.fromarray((values * white).astype(np.float32)).save(tmp_path / "x.tiff")
    assert np.abs(decode(tmp_path / "x.tiff", SIDE)[..., 0] - values * 255).max() <= 0.51


@settings(max_examples=40)
@given(st.sampled_from([1, 255, 65535]), st.floats(0, 0.0099), st.floats(0, 0.0099))
def test_floats_a_little_beyond_white_and_black_are_cut_off(
    white: int, above: float, below: float
) -> None:
    """As rounding and resampling make them; a ramp to 1.0001 was black."""
    ramp = np.linspace(-below, 1 + above, SIDE * SIDE).reshape(SIDE, SIDE)
    found = np.asarray(as_it_looks(Image.fromarray((ramp * white).astype(np.float32))))
    assert np.abs(found[..., 0] - ramp.clip(0, 1) * 255).max() <= 0.51


@pytest.mark.parametrize(
    ("mode", "most", "shown"),
    [("F", 0.0, 0), ("F", 0.02, 5), ("I", 9, 9), ("F", 51.0, 51), ("I", 4095, 16)],
)
def test_a_dark_picture_is_dark(mode: str, most: float, shown: int) -> None:
    values = np.full((2, 2), most, np.float32 if mode == "F" else np.int32)
    assert np.asarray(as_it_looks(Image.fromarray(values))).max() == shown


def refusal_place(key: str) -> str:
    return f"data.{key}"


def listed(root: Path, **chosen: Any) -> Tree:
    asked = {"classes": None, "images_per_class": None, "place": refusal_place} | chosen
    return read_tree(root, **asked)


def test_every_ending_of_torchvision_s_is_an_image(tmp_path: Path) -> None:
    plant(tmp_path, ["a"], train=1, val=1, side=8)
    for suffix in IMG_EXTENSIONS:
        image = Image.new("L", (8, 8), 99) if suffix == ".pgm" else Image.new("RGB", (8, 8))
        image.save(tmp_path / "train" / "a" / f"x{suffix}")
        image.save(tmp_path / "train" / "a" / f"y{suffix.upper()}")
    tree = listed(tmp_path)
    names = {name.partition("/")[2] for name in tree.train.names}
    wanted = {f"x{s}" for s in IMG_EXTENSIONS} | {f"y{s.upper()}" for s in IMG_EXTENSIONS}
    assert wanted <= names
    for index in range(len(tree.train.names)):
        assert decode(tree.train.path(index), 4).shape == (4, 4, 3)


KINDS = st.sampled_from(
    ["{n}.jpg", "{n}.PNG", "{n}.txt", "{n}", ".{n}.jpg", "sub/{n}.jpg", "sub/deep/{n}.txt",
     ".hid/{n}.png", "x.jpg/{n}.jpg", "{n}.gif", "{n}.tif"]
)  # fmt: skip


@settings(max_examples=40)
@given(st.lists(KINDS, min_size=1, max_size=12))
def test_read_and_counted_are_all_there_is(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[str]
) -> None:
    root = tmp_path_factory.mktemp("class")
    for number, kind in enumerate(kinds):
        path = root / kind.format(n=f"f{number}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    listing = list_class(root)
    assert len(listing.images) + listing.aside.total() == len(kinds)
    right = [kind for kind in kinds if "/" not in kind and not kind.startswith(".")]
    assert len(listing.images) == sum(kind.endswith((".jpg", ".PNG", ".tif")) for kind in right)


def odd_tree(root: Path) -> Path:
    """Eight train images of two classes, and one file for every reason."""
    plant(root, ["cat", "dog"], train=4, val=2, side=20)
    for name in ("sub/1.png", "sub/deep/2.png", "note.txt", ".DS_Store"):
        path = root / "train" / "cat" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (root / "train" / "cat" / "gone.png").symlink_to(root / "nothing.png")
    (root / "train" / "cat" / "sub" / "back").symlink_to(root / "train" / "cat")
    (root / "train" / "loose.png").touch()
    (root / "val" / "cow").mkdir()
    (root / "val" / "cow" / "1.png").touch()
    return root


def test_what_is_left_aside_is_counted_by_class_and_reason(tmp_path: Path) -> None:
    tree = listed(odd_tree(tmp_path))
    assert Counter(tree.train.labels.tolist()) == {0: 4, 1: 4}
    assert tree.train.aside == {
        "cat": {
            "in sub-folders": 2,
            "not an image by its name": 1,
            "hidden": 1,
            "links that lead nowhere": 1,
        }
    }
    assert tree.train.reasons["beside the class folders"] == 1
    assert tree.test.reasons == {"of classes that only val/ has": 1}
    assert listed(tmp_path, classes=("dog",)).train.aside == {}


def test_a_person_sees_it_and_the_manifest_keeps_it(tmp_path: Path) -> None:
    root = odd_tree(tmp_path / "set")
    text = SPACE.replace("ROOT", str(root))
    said = (
        "train/: 6 files left aside: 2 in sub-folders, 1 not an image by its name (.txt), "
        "1 hidden, 1 links that lead nowhere, 1 beside the class folders"
    )
    resolved = resolved_of(tmp_path, text)
    shown = io.StringIO()
    console = Console(file=shown, width=200, markup=False)
    console.print(picture(*resolved, gpu=0))
    plan, shown_at_start = shown.getvalue(), io.StringIO()
    assert set(said.split(": ")[2].split(", ")) == set(
        plan.split("train/: 6 files left aside: ")[1].splitlines()[0].strip().split(", ")
    )
    assert "val/: 1 file left aside: 1 of classes that only val/ has" in plan
    space = write(tmp_path, text)
    result = run_study(space, out=tmp_path / "run", inline=True)
    noted = json.loads((tmp_path / "run" / "manifest.json").read_text())
    aside = noted["plan"]["data"]["left_aside"]
    assert sum(aside["train"].values()) == 6
    assert aside["val"] == {"of classes that only val/ has": 1}
    from search.space.load import load_space  # noqa: PLC0415 - the document alone

    make_ready(result.plan.data, load_space(space)[1], Console(file=shown_at_start, width=200))
    assert "train/: 6 files left aside: 2 in sub-folders" in shown_at_start.getvalue()
    # More of them later change no trial.
    (root / "train" / "dog" / "more.txt").touch()
    assert run_study(space, out=tmp_path / "run", inline=True).finished


def test_a_study_of_images_decoded_otherwise_is_not_gone_on_with(tmp_path: Path) -> None:
    """As one is that was begun before images were read as they look."""
    plant(tmp_path / "set", ["cat", "dog"], train=4, val=2, side=20)
    space = write(tmp_path, SPACE.replace("ROOT", str(tmp_path / "set")))
    run_study(space, out=tmp_path / "run", inline=True)
    path = tmp_path / "run" / "manifest.json"
    noted = json.loads(path.read_text())
    del noted["plan"]["data"]["decoding"]
    path.write_text(sealed_document(noted))
    with pytest.raises(ConfigError, match=r"data\.decoding: there None, here '3: as they"):
        run_study(space, out=tmp_path / "run", inline=True)
    assert os.listdir(tmp_path / "set" / ".decoded")  # noqa: PTH208 - caches are kept apart
