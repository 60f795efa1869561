"""The steps of `python -m benchmarks.gpu`: their commands, times and main numbers."""

import itertools
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.noise import name_of

SMALL, SMALLEST = "res2net20_8w4s_16p_100classes", "resnet1.2.2_8w_8p_100classes"
PAPER = "Res2NeXt-29-6c24w4s"
BATCHES = (128, 512, 1024)
EXECUTIONS = ("eager", "graphs", "compile")
STUDY = Path("spaces/cifar_fig5_short.yaml")
_NUMBER = r"[\d,.]+"
_RATIO = rf"{_NUMBER} \([\d.]+-[\d.]+\)"


class Step(NamedTuple):
    """A command that is run only once.

    Attributes:
        name: name of the step and of its output file.
        command: the command to run.
        needs: seconds; it is started only if these remain, and ended after them.
        headline: pattern of the quoted number; the last match in its output counts.
        says: template for the pattern's groups, as for `re.Match.expand`.
        goes_on: whether it uses all the remaining time and continues in the next call;
            `{seconds}` in its command is that time.
    """

    name: str
    command: tuple[str, ...]
    needs: float
    headline: str = r"(?m)^(.*\S.*)\s*\Z"
    says: str = r"\1"
    goes_on: bool = False

    def quoted(self, text: str) -> str:
        """The main number in its output; empty if there is none."""
        *_, last = (None, *re.finditer(self.headline, text))
        return " ".join(last.expand(self.says).split()) if last else ""


class Asked(NamedTuple):
    """Options: the device, the size, and the folders of data and of finished runs."""

    device: str
    small: bool
    data: Path
    runs: Path


def steps(asked: Asked) -> Iterator[Step]:
    """All steps in the order in which a GPU runs them; the study comes last."""
    if asked.small:
        yield from _small(asked)
        return
    where, data = ("--device", asked.device), ("--data", str(asked.data))
    trained = (*where, *data, "--turns", "3")
    yield _tests(120)
    yield _paper(*trained, batch=BATCHES[0])
    yield Step("memory", _module("limits", "memory", *where, *data), 120)
    yield Step("energy", _module("limits", "energy", *where, *data), 120)
    yield _input(240, *where, *data)
    both = (*where, "--networks", SMALL, PAPER, "--turns", "2")
    yield _packing("eager-128", 300, *both, "--batch", "128")
    yield _train("small", 300, *trained, "--networks", SMALL, "--images", "20000")
    yield _block("eager", 240, *where)
    for batch in BATCHES[1:]:
        yield _paper(*trained, batch=batch)
    yield _block("compiled", 420, *where, "--compiled", "--quick")
    for how, batch in itertools.product(EXECUTIONS, BATCHES):
        if (how, batch) != ("eager", 128):
            own = ("--execution", how, "--batch", str(batch), "--beside", "1", "4")
            yield _packing(f"{how}-{batch}", 300, *both, *own)
    yield _study(asked)


def _small(asked: Asked) -> Iterator[Step]:
    """The same commands at a size that a CPU handles in minutes."""
    where, data = ("--device", asked.device), ("--data", str(asked.data))
    short = ("--turns", "2")
    one = ("--network", SMALLEST, "--images", "512", "--batch", "64")
    yield _tests(240)
    yield Step("memory", _module("limits", "memory", *where, *data, *one), 180)
    yield Step("energy", _module("limits", "energy", *where, *data, *one), 180)
    yield _input(240, *where, *data, *short, "--images", "512")
    yield _train("small", 300, *where, *data, *short, "--threads", "1", "--networks", SMALLEST)
    yield _block("eager", 120, *where, "--steps", "2", "--small")
    yield _packing("eager-16", 200, *where, *short, "--networks", SMALLEST, "--batch", "16")
    yield _study(asked)


def _module(name: str, *options: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"benchmarks.{name}", *options)


def _tests(needs: float) -> Step:
    """The tests that need CUDA, only files that have some: collecting all takes a minute."""
    files = sorted(
        str(path)
        for path in Path("tests").rglob("test_*.py")
        if "pytest.mark.gpu\n" in path.read_text(encoding="utf-8")
    )
    command = (sys.executable, "-m", "pytest", "-m", "gpu", "-n", "0", *files)
    return Step("tests", command, needs, r"=+ (.*(?:passed|failed|skipped|error).*) in ")


def _input(needs: float, *options: str) -> Step:
    row = rf"v2 uint8, 2 workers\W+({_NUMBER})\W+{_NUMBER}\W+({_RATIO})"
    command = _module("input", *options)
    return Step("input", command, needs, row, r"\1 images/s, \2 times a DataLoader")


def _train(name: str, needs: float, *options: str) -> Step:
    row = rf"An epoch with[\s\S]*?ours, bf16\W+\d+\W+{_NUMBER} s\W+({_NUMBER})\W+({_RATIO})"
    command = _module("train", *options)
    return Step(f"train-{name}", command, needs, row, r"\1 images/s, \2 times the first row")


def _paper(*options: str, batch: int) -> Step:
    own = ["--networks", PAPER, "--batch", str(batch), "--images", "10000"]
    own += ["--bf16"] * (batch > 512)  # in fp32 about 0.1 GiB per image
    return _train(f"6c24w4s-{batch}", 420, *options, *own)


def _block(name: str, needs: float, *options: str) -> Step:
    row = rf"forward\+backward\W+{_NUMBER} ms\W+{_NUMBER} ms\W+({_RATIO})"
    command = _module("block", *options)
    return Step(f"block-{name}", command, needs, row, r"\1 times timm's speed, in the last row")


def _packing(name: str, needs: float, *options: str) -> Step:
    row = rf"│\s*(\d+)\s*│\s*\d+\s*│\s*({_NUMBER})\s*│\s*({_RATIO})"
    command = _module("packing", *options)
    says = r"\1 together: \2 images/s, \3 times one alone"
    return Step(f"packing-{name}", command, needs, row, says)


def _study(asked: Asked) -> Step:
    """The study; without CIFAR-100, one of noise under another name."""
    name = name_of(asked.data)
    real = name == "cifar100"
    study = f"cifar_fig5_short{'' if real else '_of_noise'}{'_small' if asked.small else ''}"
    sets = [f"study={study}", f"data.root={asked.data}"]
    sets += [] if real else [f"data.name={name}"]
    if asked.device == "cpu":
        sets += ["resources={gpu: 0, cpu: 1}"]
    if asked.small:
        few = "{recipe: short, epochs: 1, warmup: 0}"
        sets += ["network.depth=[11, 20]", "network.cardinality=[1, 2]", "network.scale=[1, 2]"]
        sets += ["network.width=4", "network.planes=4", f"training={few}", "search.seeds=1"]
        sets += ["data.train=256", "data.validation=64"]
    command = [sys.executable, "-m", "search.run", str(STUDY), "--time-limit", "{seconds}s"]
    command += ["--out", str(asked.runs / study)]
    command += [part for each in sets for part in ("--set", each)]
    return Step("study", tuple(command), 120, goes_on=True)
