"""Parts as somebody else would write them, in a folder of their own outside the project."""

from pathlib import Path

from tests.res2net.blocks.foreign import HONEST

SAMPLER = '''
"""Goes through the candidates backwards."""


class Backwards:
    """From the last candidate to the first."""

    traits = {"exhaustive"}

    def __init__(self, survey, *, seed, objectives):
        self._left = list(range(len(survey)))

    def propose(self, trial):
        return self._left[-1]

    def take(self, candidate):
        self._left.remove(candidate)

    def tell(self, candidate, outcome):
        pass
'''
DATA = '''
import numpy as np


class Stripes:
    """Images striped along or across, with noise."""

    classes, image_size, train, test = 2, 8, 96, 32

    def load(self, root):
        def draw(count, seed):
            rng = np.random.default_rng(seed)
            labels = np.arange(count) % 2
            images = rng.integers(0, 60, (count, 8, 8, 3))
            images[labels == 0, ::2] += 150
            images[labels == 1, :, ::2] += 150
            return images.astype(np.uint8), labels

        return draw(self.train, 0), draw(self.test, 1)


STRIPES = Stripes()
'''
OPTIMIZER = '''
import torch


class Signs(torch.optim.Optimizer):
    """Steps of one length along the signs of the averaged gradients."""

    def __init__(self, groups, *, lr, beta):
        super().__init__(groups, {"lr": lr, "beta": beta})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                average = state.setdefault("average", torch.zeros_like(parameter))
                average.lerp_(parameter.grad, 1 - group["beta"])
                parameter.add_(average.sign(), alpha=-group["lr"])


def signs(groups, training, *, beta=0.9):
    return Signs(groups, lr=training.peak_lr, beta=beta)
'''
RECIPE = """\
# A short training of our own.
epochs: 3
batch_size: 16
lr: 0.005
schedule: cosine
precision: fp32
"""
SPACE = """\
# Do parts from outside make a study?
study: outside
network: {planes: 4, depth: 11, cardinality: [1, 2], scale: [1, 2, 3], width: [1, 2],
          block: "my_block.py:BLOCK"}
budget: {macs: {max: 1M}}
data: {name: "my_data.py:STRIPES", validation: 32}
training: {recipe: my_recipe.yaml, optimizer: "my_optimizer.py:signs", lr: 0.004,
           optimizer_options: {beta: 0.8}}
search: {sampler: "my_sampler.py:Backwards", trials: 6}
keep: {best: 2}
"""
FILES = {
    "my_block.py": HONEST,
    "my_data.py": DATA,
    "my_optimizer.py": OPTIMIZER,
    "my_recipe.yaml": RECIPE,
    "my_sampler.py": SAMPLER,
    "space.yaml": SPACE,
}


def write_parts(folder: Path) -> Path:
    """Write everything, and give the space file."""
    for name, text in FILES.items():
        (folder / name).write_text(text.lstrip(), encoding="utf-8")
    return folder / "space.yaml"
