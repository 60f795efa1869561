"""Lists images and their maps: files in two folders with the same stem. No torch here."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from search.schema.layouts import Pair
from search.schema.yaml import ConfigError

_IMAGES = (".jpg", ".jpeg", ".png", ".bmp")
_MAPS = (".png", ".bmp", ".jpg", ".jpeg")  # suffixes of maps, if a folder holds both kinds
_SHOWN = 3


class PairFiles(NamedTuple):
    """An image and its map."""

    image: Path
    map: Path


def list_pair(pair: Pair, root: Path, *, key: str) -> list[PairFiles]:
    """The images of a pair of folders with their maps, in the order of their stems.

    Args:
        pair: folder of images, folder of maps and, optionally, a file with one name per line.
        root: folder that holds them.
        key: key of the space file, for messages.

    Raises:
        ConfigError: a folder does not exist, or is empty; an image has no map, or a map no
            image; a name is listed twice, or does not exist.
    """
    images, maps = (_folder(root / name, key) for name in pair[:2])
    together = images == maps
    of_images = _by_stem(images, (".jpg", ".jpeg") if together else _IMAGES, key)
    of_maps = _by_stem(maps, (".png", ".bmp") if together else _MAPS, key)
    stems = sorted(of_images)
    if len(pair) == 3:
        stems = _listed(root / pair[2], of_images, key)
    else:  # with a list, only the named files are checked
        _refuse(of_maps.keys() - of_images.keys(), f"{key}: maps in {maps} without an image")
    if not stems:
        raise ConfigError(f"{key}: {images} contains no images; give the folder that does")
    _refuse({*stems} - of_maps.keys(), f"{key}: images of {images} without a map in {maps}")
    return [PairFiles(of_images[stem], of_maps[stem]) for stem in stems]


def list_pairs(
    train: tuple[Pair, ...], test: Pair, root: Path
) -> tuple[list[PairFiles], list[PairFiles]]:
    """The images to train on with their maps, and those to test on.

    Raises:
        ConfigError: as for `list_pair`, or an image is in two of the sets.
    """
    to_train = [
        files for pair in train for files in list_pair(pair, root, key="data.train_pairs")
    ]
    to_test = list_pair(test, root, key="data.test_pair")
    counted = Counter(files.image.resolve() for files in [*to_train, *to_test])
    twice = {str(path) for path, count in counted.items() if count > 1}
    _refuse(twice, "data.train_pairs: images that are in two of the sets")
    return to_train, to_test


def are_there(train: tuple[Pair, ...], test: Pair, root: Path) -> bool:
    """Whether any of the folders exists: then all of them must."""
    return any((root / name).is_dir() for pair in (*train, test) for name in pair[:2])


def _folder(path: Path, key: str) -> Path:
    if not path.is_dir():
        raise ConfigError(
            f"{key}: {path.absolute()} is not there; put the data set's folder there, or set "
            "data.root to the folder that holds it"
        )
    return path


def _by_stem(folder: Path, ends: tuple[str, ...], key: str) -> dict[str, Path]:
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in ends)
    counted = Counter(path.stem for path in found)
    _refuse(
        {stem for stem, count in counted.items() if count > 1},
        f"{key}: names of two files in {folder} that differ only in their endings",
    )
    return {path.stem: path for path in found}


def _listed(path: Path, there: dict[str, Path], key: str) -> list[str]:
    """The stems that a file lists, in its order."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{key}: {path.absolute()} cannot be read ({error}); give a text file with the "
            "name of an image on each line"
        ) from error
    names = [Path(line.strip()).name for line in lines if line.strip()]
    # A name without an ending may have other dots.
    stems = [name if name in there else Path(name).stem for name in names]
    twice = {stem for stem, count in Counter(stems).items() if count > 1}
    _refuse(twice, f"{key}: names that {path} lists twice")
    _refuse({*stems} - there.keys(), f"{key}: names in {path} that have no image there")
    return stems


def _refuse(wrong: set[str], what: str) -> None:
    """Raise an error that counts wrong names and gives the first; do nothing without any."""
    if wrong:
        first = ", ".join(sorted(wrong)[:_SHOWN])
        raise ConfigError(f"{what}: {len(wrong):,}, such as {first}; correct the files")
