"""Squares to train on: what a map says lies where the image shows it."""

import numpy as np
import pytest
import torch

from search.scenes.scene import IGNORED, Scene
from search.tasks.scenes import normalised
from search.tasks.squares import Crops


def edge(side: int, at: int) -> Scene:
    """White and of class 1 from a column on, black and background before it."""
    image = np.zeros((side, side, 3), np.uint8)
    image[:, at:] = 255
    return Scene(name="edge", image=image, semantic=(image[..., 0] // 255).astype(np.uint8))


@pytest.mark.parametrize("side", [50, 64, 100, 130, 250])
def test_an_edge_of_the_map_is_the_edge_of_the_image(side: int) -> None:
    crops = Crops(side=64, scales=(1.0, 1.0), flip=False, fill=IGNORED)
    black, white = normalised(torch.tensor([0.0, 1.0])[None, :, None].expand(3, 2, 1))[0, :, 0]
    apart = []
    for at in range(side // 4, 3 * side // 4):
        example = crops.example(edge(side, at), edge(side, at).semantic)
        shown = ((example.image[0] - black) / (white - black)).sum(1).mean()
        apart.append(float(shown - example.target["map"].sum(1).float().mean()))
    assert abs(np.mean(apart)) < 0.06, "pixels, of an edge in all its places"


@pytest.mark.parametrize("shape", [(3, 1000), (1000, 2), (1, 1)])
def test_however_thin_it_is_it_can_be_cut(shape: tuple[int, int]) -> None:
    thin = Scene(
        name="thin", image=np.zeros((*shape, 3), np.uint8), semantic=np.ones(shape, np.uint8)
    )
    example = Crops(side=96, scales=(0.5, 2.0), flip=True, fill=IGNORED).example(
        thin, thin.semantic
    )
    assert example.image.shape == (3, 96, 96)
    assert set(example.target["map"].unique().tolist()) <= {1, IGNORED}
