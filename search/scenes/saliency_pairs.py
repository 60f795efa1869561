"""Folders of images and of maps of what stands out, such as those of DUTS or ECSSD."""

from pathlib import Path

from search.images.pairs import PairFiles, list_pairs
from search.scenes.findings import Findings
from search.scenes.mapped import Files, Mapped
from search.scenes.parting import parted
from search.scenes.pictures import grey_map
from search.scenes.scene import SceneSplits
from search.schema.data import PlannedData


def saliency_pairs(data: PlannedData, root: Path) -> SceneSplits:
    """Scenes with maps of what stands out.

    Args:
        data: gives the folders.
        root: the folder that holds them.

    Raises:
        ConfigError: a folder, an image or a map is missing.
    """
    assert data.train_pairs, "the section was checked"
    assert data.test_pair, "the section was checked"
    train, test = list_pairs(data.train_pairs, data.test_pair, root)
    return parted(data, _scenes(train), _scenes(test), Findings())


def _scenes(files: list[PairFiles]) -> Mapped:
    each = [Files(*one) for one in files]
    return Mapped(each, read=grey_map, kind="saliency", classes=("salient",))
