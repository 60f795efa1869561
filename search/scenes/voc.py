"""PASCAL VOC in its official layout: boxes of 2007 and 2012, classes of pixels of 2012 and SBD.

Everingham et al., IJCV 2010; Hariharan et al., ICCV 2011 (SBD). `VOCdevkit/VOC2007`,
`VOCdevkit/VOC2012`, and SBD's `benchmark_RELEASE/dataset` are below `data.root`.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from search.scenes.findings import FileError, Findings, LayoutError
from search.scenes.mapped import Mapped
from search.scenes.parting import parted
from search.scenes.photographs import ObjectList, Photograph, Photographs
from search.scenes.pictures import size_of
from search.scenes.scene import SceneSplits
from search.scenes.voc_maps import Sources, class_map, of_sbd, of_voc
from search.scenes.voc_xml import CLASSES, Annotated, read_annotation
from search.schema.data import PlannedData
from search.schema.wording import how_many

_TARS = {
    "VOC2007": "VOCtrainval_06-Nov-2007.tar and VOCtest_06-Nov-2007.tar",
    "VOC2012": "VOCtrainval_11-May-2012.tar",
}
# For each set with boxes: year and list of the training images.
_TRAINED = {
    "voc07": (("VOC2007", "trainval"),),
    "voc07+12": (("VOC2007", "trainval"), ("VOC2012", "trainval")),
}


def voc(data: PlannedData, root: Path) -> SceneSplits:
    """Scenes of VOC.

    Args:
        data: gives the set.
        root: the folder that holds `VOCdevkit`.

    Raises:
        LayoutError: files are missing, damaged or not as published.
    """
    found = Findings()
    if data.sets in _TRAINED:
        train = _boxes(_TRAINED[data.sets], root, found)
        test = _boxes((("VOC2007", "test"),), root, found)
        _refuse_shared(_all(_TRAINED[data.sets], root), _all((("VOC2007", "test"),), root))
        return parted(data, train, test, found)
    folder = _folder(root, "VOC2012")
    lists = {
        name: read_list(folder / "ImageSets" / "Segmentation" / f"{name}.txt")
        for name in ("train", "val")
    }
    _refuse_shared(lists["train"], lists["val"])
    sources = of_voc(folder, lists["train"])
    if data.sets == "voc12+sbd":
        sources |= _beside(sources, root, folder, {*lists["val"]})
    return parted(
        data, _maps(sources, found), _maps(of_voc(folder, lists["val"]), found), found
    )


def read_list(path: Path) -> list[str]:
    """The names of images in a list; the rest of each line is ignored.

    Raises:
        LayoutError: it does not exist, or names an image twice.
    """
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LayoutError(
            "root", f"{path.absolute()} cannot be read ({error}); put the official file there"
        ) from error
    names = [line.split()[0] for line in lines if line.strip()]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise LayoutError("root", f"{path} names {twice[0]} twice; put the official file there")
    return names


def _folder(root: Path, year: str) -> Path:
    folder = root / "VOCdevkit" / year
    if not folder.is_dir():
        raise LayoutError(
            "root",
            f"{folder.absolute()} is not there; unpack the official {_TARS[year]} there, or "
            "set data.root to the folder that holds VOCdevkit",
        )
    return folder


def _boxes(parts: Sequence[tuple[str, str]], root: Path, found: Findings) -> Photographs:
    """The images of some lists, with their objects."""
    photographs, objects = [], ObjectList(found)
    for year, part in parts:
        folder = _folder(root, year)
        for name in read_list(folder / "ImageSets" / "Main" / f"{part}.txt"):
            try:
                photograph, there = _annotated(folder, name, found)
            except FileError as fault:  # all of them are reported together
                found.refuse(fault.kind, fault.where)
                continue
            for number, one in enumerate(there.objects, 1):
                objects.add(
                    one.box,
                    label=one.label,
                    crowd=one.difficult,
                    area=None,
                    size=photograph.size,
                    where=f"{year} {name}, object {number}",
                )
            objects.close()
            photographs.append(photograph)
    return Photographs(photographs, objects.made(), classes=CLASSES)


def _annotated(folder: Path, name: str, found: Findings) -> tuple[Photograph, Annotated]:
    path = folder / "JPEGImages" / f"{name}.jpg"
    photograph = Photograph(path, size_of(path))
    there = read_annotation(folder / "Annotations" / f"{name}.xml")
    if there.size not in (None, photograph.size):
        found.note("annotations that say another size than the image has", str(path))
    return photograph, there


def _all(parts: Sequence[tuple[str, str]], root: Path) -> list[str]:
    """The names in some lists, with the year of each."""
    return [
        f"{year} {name}"
        for year, part in parts
        for name in read_list(_folder(root, year) / "ImageSets" / "Main" / f"{part}.txt")
    ]


def _refuse_shared(train: Sequence[str], test: Sequence[str]) -> None:
    shared = sorted({*train} & {*test})
    if shared:
        raise LayoutError(
            "root",
            f"training and test set have {how_many(len(shared), 'image')} in common, the first "
            f"{shared[0]}; put the official lists into ImageSets",
        )


def _beside(sources: Sources, root: Path, folder: Path, tested: set[str]) -> Sources:
    """The images of SBD that are neither VOC's own nor in the test."""
    dataset = root / "benchmark_RELEASE" / "dataset"
    if not dataset.is_dir():
        raise LayoutError(
            "root",
            f"{dataset.absolute()} is not there; unpack SBD's official benchmark.tgz there, or "
            "write sets: voc12",
        )
    names = [*read_list(dataset / "train.txt"), *read_list(dataset / "val.txt")]
    fresh = [name for name in dict.fromkeys(names) if name not in {*sources} | tested]
    return of_sbd(dataset, folder, fresh)


def _maps(sources: Sources, found: Findings) -> Mapped:
    for files in sources.values():
        for path in files:
            if not path.is_file():
                found.refuse("files that are listed and not there", str(path))
    return Mapped([*sources.values()], read=class_map, kind="semantic", classes=CLASSES)
