"""Lays the transparent parts of a picture on white. No torch here."""

import numpy as np
from PIL import Image

# Pillow's names for the grey levels of a PNG of few bits, and the factor it scales them by: it
# keeps the transparent level unscaled.
_FEW_BITS = {"L;2": (3, 85), "L;4": (15, 17)}
_HIGH_BYTES, _LOW_BYTES = "RGB;16B", "RGB;16L"  # Pillow reads one byte of each 16-bit colour


def load(image: Image.Image) -> None:
    """Load an opened picture; a PNG's transparent colour is scaled like its pixels.

    Args:
        image: just opened, changed in place: only before it is loaded does it give the number
            of bits in its file.

    Raises:
        Exception: whatever Pillow raises for broken content.
    """
    tiles = getattr(image, "tile", ()) if image.format == "PNG" else ()
    stored = tiles[0].args if tiles else ""
    clear = image.info.get("transparency")
    if stored == _HIGH_BYTES and isinstance(clear, tuple):
        _load_16_bits(image, clear)
        return
    image.load()
    if stored in ("L", *_FEW_BITS) and isinstance(clear, int):
        mask, factor = _FEW_BITS.get(stored, (255, 1))
        image.info["transparency"] = (clear & mask) * factor
    elif stored == "RGB" and isinstance(clear, tuple):
        image.info["transparency"] = tuple(value & 255 for value in clear)


def _load_16_bits(image: Image.Image, clear: tuple[int, ...]) -> None:
    """Make pixels with a given colour of 16 bits transparent, comparing both bytes."""
    file = image.fp  # type: ignore[attr-defined]  # an opened PNG has one
    at = file.tell()
    low = Image.open(file, formats=["PNG"])
    low.tile = [tile._replace(args=_LOW_BYTES) for tile in low.tile]
    low_bytes = np.asarray(low)
    file.seek(at)
    image.load()
    values = np.asarray(image).astype(np.uint16) << 8 | low_bytes
    seen = (values != np.array(clear)).any(axis=2)
    del image.info["transparency"]
    image.putalpha(Image.fromarray(np.where(seen, 255, 0).astype(np.uint8)))


def on_white(image: Image.Image) -> Image.Image:
    """A loaded picture with transparency as RGB, laid on white."""
    if image.mode == "La":  # cannot be converted to RGBA
        image = image.convert("LA")
    ground = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB")
