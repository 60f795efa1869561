"""Random images of a study's size, on which networks are timed before there are data."""

import torch

from search.images.splits import Split, Splits
from search.scenes.random_scenes import random_scenes
from search.scenes.scene import SceneSplits
from search.schema.datasets import DATASETS
from search.schema.study_plan import StudyPlan
from search.tasks.classification import scored_at_once

_HELD_OUT = 256  # images that are only evaluated
_HELD_OUT_SCENES = 16  # fewer, as evaluating a scene may take as long as a step


def random_images(plan: StudyPlan, *, batches: int) -> Splits | SceneSplits:
    """Random images of a study's size: `batches` to train on, and a few to evaluate."""
    train, count = plan.training.batch_size * batches, held_out(plan)
    if DATASETS[plan.data.name].scenes:
        return random_scenes(plan.data, train=train, held_out=count)
    generator = torch.Generator().manual_seed(0)
    side, classes, channels = plan.data.resize, plan.data.classes, plan.data.channels

    def split(count: int) -> Split:
        images = torch.randint(
            0, 256, (count, side, side, channels), dtype=torch.uint8, generator=generator
        )
        labels = torch.randint(0, classes, (count,), generator=generator)
        return Split(images, torch.arange(count), labels)

    scored = split(count)
    mean = torch.full((channels,), 127.5)
    return Splits(split(train), scored, scored, mean, mean / 2)


def held_out(plan: StudyPlan) -> int:
    """Images to evaluate: on a GPU, to measure memory, at least as many as scored at once."""
    if DATASETS[plan.data.name].scenes:
        return _HELD_OUT_SCENES
    gpu = plan.resources.gpu > 0
    at_once = scored_at_once(plan.training, plan.data.resolution, gpu=gpu)
    return max(_HELD_OUT, at_once) if gpu else _HELD_OUT
