"""Shows a picture as people see it: whole, in colour, 8 bits, upright. No torch here.

Photographs of 8 bits come out as torchvision's ImageFolder reads them, byte for byte. Any other
picture its `convert("RGB")` would turn into something else than a viewer shows; here:

- 16 and 12 bits are scaled: white is 65535, or what a TIFF says, and becomes 255.
- Whole numbers of 32 bits and floats have no defined white. It is the first of 1 (floats only),
  255 and 65535 that no value of the picture exceeds. Floats may exceed it, and fall below 0, by
  1 % of it, as rounding and resampling cause, and are clipped there. A picture with values
  beyond all of these, or so little above one white that it would be nearly black with the next
  (under 5 %), or not finite, has no defined appearance and is refused with that reason.
- Transparent pixels are laid on white, as on paper: what is below them is not seen, and often
  noise.
- EXIF's orientation turns the picture upright.
- Of several frames the first is taken. CMYK, YCbCr, LAB and HSV become RGB as in Pillow;
  embedded colour profiles are not applied.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

from search.images.transparency import load, on_white

# These would start other programs to draw untrusted content, or open formats inside.
_NOT_OPENED = ("EPS", "IPTC")
_WHITES: tuple[int, ...] = (255, 65535)
_OVERSHOOT = 0.01  # share of white by which floats may lie beyond white and black
_NEARLY_BLACK = 0.05  # share of white that a picture must exceed for this white to be plausible
_OF_16_BITS = ("PNG", "PPM")  # formats of which Pillow may read 16 bits as 32
_BITS, _PHOTOMETRIC = 258, 262  # tags of a TIFF
_ORIENTATION = 0x0112  # tag of EXIF
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def formats() -> list[str]:
    """The formats that `Image.open` may open: all that Pillow decodes by itself."""
    Image.init()
    return [name for name in Image.OPEN if name not in _NOT_OPENED]


def as_it_looks(image: Image.Image) -> Image.Image:
    """An opened picture as RGB of 8 bits, upright, transparency on white.

    Raises:
        ValueError: its numbers do not show which value is white; the message says so.
        Exception: whatever Pillow raises for broken content.
    """
    load(image)
    turn = _turn(image)
    image = of_8_bits(image)
    colour = on_white(image) if image.has_transparency_data else image.convert("RGB")
    return colour if turn is None else colour.transpose(turn)


def _turn(image: Image.Image) -> Image.Transpose | None:
    try:
        return _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - a photograph with broken EXIF is still a photograph
        return None


def of_8_bits(image: Image.Image) -> Image.Image:
    """Grey of 8 bits, from values of 16 or 32; a value declared transparent stays so.

    Args:
        image: image of any kind; all others are returned unchanged.

    Raises:
        ValueError: its numbers do not show which value is white; the message says so.
    """
    if image.mode not in ("I", "F") and not image.mode.startswith("I;16"):
        return image
    values = np.asarray(image)
    white = _white(image, values)
    levels = _scaled(values, white)
    if image.format == "TIFF" and _tag(image, _PHOTOMETRIC, 1) == 0:  # white is 0
        levels = 255 - levels
    grey = Image.fromarray(levels)
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        grey.putalpha(Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8)))
    return grey


def _scaled(values: npt.NDArray[np.generic], white: int) -> npt.NDArray[np.uint8]:
    """Scale 0 to `white` to 0 to 255, rounded to nearest; floats beyond are clipped."""
    if values.dtype.kind == "f":
        inside = values.astype(np.float64).clip(0, white)
        return np.floor(inside * (255 / white) + 0.5).astype(np.uint8)
    return ((values.astype(np.int64) * 510 + white) // (2 * white)).astype(np.uint8)


def _white(image: Image.Image, values: npt.NDArray[np.generic]) -> int:
    """The value that is white; ValueError where nothing determines it."""
    if image.mode.startswith("I;16"):
        bits = _tag(image, _BITS, 16) if image.format == "TIFF" else 16
        return (1 << bits) - 1
    least, most = float(values.min()), float(values.max())
    if not (np.isfinite(least) and np.isfinite(most)):  # NaN too
        raise ValueError("holds values that are no finite numbers, which have no colour")
    whites = (1, *_WHITES) if image.mode == "F" else _WHITES
    if image.mode == "I" and image.format in _OF_16_BITS:
        whites = _WHITES[-1:]
    beyond = _OVERSHOOT if image.mode == "F" else 0
    fitting = [white for white in whites if most <= white * (1 + beyond)]
    if not fitting or (fitting[0] != whites[0] and most < fitting[0] * _NEARLY_BLACK):
        raise ValueError(f"holds values up to {most:g}, and nothing says which is white")
    if least < -beyond * fitting[0]:
        raise ValueError(f"holds values down to {least:g}, and nothing says which is black")
    return fitting[0]


def _tag(image: Image.Image, number: int, otherwise: int) -> int:
    """A number in a TIFF's header."""
    value = image.tag_v2.get(number, otherwise)  # type: ignore[attr-defined]  # a TIFF has them
    return int(value[0] if isinstance(value, tuple) else value)
