"""Kills drivers, workers and machines of a study at random, and checks the result.

    python -m benchmarks.soak [--minutes 20] [--every 30] [--seed 0]

The study runs on a Ray cluster of three simulated machines with one core each, or, at every
other start, on its own local Ray. About every --every seconds one process is killed with `kill
-9`: the driver, a worker, or the raylet of a machine, which takes its workers with it. Whenever
the driver is gone, the same command is given again. In the end, each trial must occur in the
journal exactly once, with the numbers of an undisturbed run, to the last bit.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import torch
from ray.cluster_utils import Cluster
from rich.table import Table

from benchmarks.machine import machine
from res2net.consoles import console_of
from res2net.exit_codes import ExitCode
from search.study.events import Ended, Epoch, Lost
from search.study.journal import Record, read

_SPACE = """\
# Does a study survive everything?
study: soak
network: {skeleton: cifar, planes: 2, depth: [11, 20], cardinality: [1, 2, 3, 4],
          scale: [1, 2, 3, 4], width: {from: 1, to: 12}}
data: {name: digits, validation: 200}
training: {epochs: EPOCHS, batch_size: 256, precision: fp32, lr: 0.05,
           optimizer: "benchmarks.slow:slow", optimizer_options: {seconds: SECONDS}}
search: {sampler: random, trials: TRIALS}
keep: {best: 0}
"""
_EPOCHS, _REST = 8, 0.15  # a trial of about 8 s
_KINDS = ("driver", "worker", "raylet")
_RETURNS = 10.0  # seconds until a killed machine is replaced


def main(argv: Sequence[str]) -> int:
    """Run the study to its end through all kills; return 0 if nothing was lost."""
    parser = argparse.ArgumentParser("python -m benchmarks.soak")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--every", type=float, default=30, help="seconds between two kills")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="empty; keeps all that was said")
    asked = parser.parse_args(argv)
    trials = max(4, round(asked.minutes * 60 / 4))  # more than fit in the time
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch)
        disturbed = Disturbed(folder, trials=trials, seed=asked.seed)
        try:
            disturbed.run(seconds=asked.minutes * 60, every=asked.every)
        finally:
            disturbed.close()
        expected = results(read(undisturbed(folder, trials=trials)))
        records = read(disturbed.folder)
    console = console_of(100)
    console.print(report(disturbed, records, expected))
    console.print(machine(torch.device("cpu"), "ray"))
    return 0 if not problems(records, expected) else 1


class Disturbed:
    """A study whose processes are killed.

    Args:
        scratch: an empty folder.
        trials: number of trials of the study.
        seed: seed for what is killed when.

    Attributes:
        folder: folder of the run.
        kills: number of kills by kind.
        starts: number of starts of the driver.
        codes: exit codes with which it ended by itself.
    """

    def __init__(self, scratch: Path, *, trials: int, seed: int) -> None:
        self._space = write_space(scratch, trials=trials, seconds=_REST)
        self.folder = scratch / "disturbed"
        self._random = random.Random(seed)
        self._cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
        )
        self._nodes = [self._cluster.add_node(num_cpus=1) for _ in range(3)]
        self._returns: list[float] = []
        self.kills, self.starts = Counter[str](), 0
        self.codes: list[int] = []
        self._driver: subprocess.Popen[str] | None = None

    def run(self, *, seconds: float, every: float) -> None:
        """Kill processes repeatedly for this long, then let the study end."""
        until, killed = time.monotonic() + seconds, time.monotonic()
        while not self._finished():
            self._restart()
            self._replace()
            due = killed + every * self._random.uniform(0.5, 1.5)
            while time.monotonic() < due and self._is_alive():
                time.sleep(0.2)
                self._replace()
            if time.monotonic() >= due and time.monotonic() < until and self._is_alive():
                killed = time.monotonic()
                self._kill(self._random.choice(_KINDS))

    def close(self) -> None:
        """Stop everything that was started."""
        if self._driver is not None and self._driver.poll() is None:
            os.killpg(self._driver.pid, signal.SIGKILL)
            self._driver.wait()
        self._cluster.shutdown()

    def _finished(self) -> bool:
        return bool(self.codes) and self.codes[-1] == 0

    def _is_alive(self) -> bool:
        return self._driver is not None and self._driver.poll() is None

    def _restart(self) -> None:
        """Give the same command again if the driver is gone."""
        if self._driver is not None:
            code = self._driver.poll()
            if code is None:
                return
            if code != -signal.SIGKILL:
                self.codes.append(code)
                assert code != ExitCode.BAD_INPUT, self._said.read_text(encoding="utf-8")
                if code == ExitCode.DONE:
                    return
        self._local = self.starts % 2 == 1
        self.starts += 1
        where = [] if self._local else ["--address", self._cluster.address]
        command = [sys.executable, "-m", "search.run", str(self._space), "--out"]
        self._said = self.folder.parent / f"start{self.starts}.txt"
        with self._said.open("w") as said:
            self._driver = subprocess.Popen(
                [*command, str(self.folder), *where],
                stdout=said,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )

    def _replace(self) -> None:
        """Bring killed machines back after a while."""
        while self._returns and self._returns[0] < time.monotonic():
            self._returns.pop(0)
            self._nodes.append(self._cluster.add_node(num_cpus=1))

    def _kill(self, kind: str) -> None:
        assert self._driver is not None
        if kind == "driver":
            os.killpg(self._driver.pid, signal.SIGKILL)
            self._driver.wait()
        elif kind == "worker":
            found = [one for raylet in self._raylets() for one in workers_below(raylet)]
            if not found:
                return
            self._random.choice(found).kill()
        elif self._local:
            for raylet in self._raylets():
                raylet.kill()
        elif self._nodes:
            node = self._nodes.pop(self._random.randrange(len(self._nodes)))
            self._cluster.remove_node(node, allow_graceful=False)
            self._returns.append(time.monotonic() + _RETURNS)
        self.kills[kind] += 1

    def _raylets(self) -> list[psutil.Process]:
        """The raylets of the machines that run trials now."""
        assert self._driver is not None
        if self._local:
            below = psutil.Process(self._driver.pid).children()
            return [one for one in below if one.name() == "raylet"]
        return [raylet_of(node) for node in self._nodes]


def raylet_of(node: Any) -> psutil.Process:
    """The raylet process of a node of a cluster that runs entirely on this machine."""
    (raylet,) = node.all_processes["raylet"]
    return psutil.Process(raylet.process.pid)


def workers_below(raylet: psutil.Process) -> list[psutil.Process]:
    """The processes of a node that run trials."""
    # ray::TrialActor between two calls, ray::ResourceTrainable.train during a call
    titles = ("ray::TrialActor", "ray::ResourceTrainable")
    below = raylet.children(recursive=True)
    return [one for one in below if " ".join(one.cmdline()).startswith(titles)]


def write_space(folder: Path, *, trials: int, seconds: float) -> Path:
    """Write the space file of the study, with this many seconds of sleep after each step."""
    text = _SPACE.replace("EPOCHS", str(_EPOCHS)).replace("SECONDS", str(seconds))
    path = folder / f"soak-{seconds:g}.yaml"
    path.write_text(text.replace("TRIALS", str(trials)), encoding="utf-8")
    return path


def undisturbed(folder: Path, *, trials: int) -> Path:
    """Run the same study in one process without sleeping; return the folder of its run."""
    out = folder / "undisturbed"
    space = write_space(folder, trials=trials, seconds=0.0)
    command = [sys.executable, "-m", "search.run", str(space), "--inline", "--out", str(out)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return out


def results(records: Sequence[Record]) -> dict[int, str]:
    """Status and metrics of each ended trial and all its epochs, to the last bit."""
    epochs: dict[int, list[dict[str, float]]] = {}
    for record in records:
        if isinstance(record, Epoch):
            epochs.setdefault(record.trial, []).append(record.metrics)
    return {
        r.trial: json.dumps([r.status, r.metrics, epochs.get(r.trial)])
        for r in records
        if isinstance(r, Ended)
    }


def problems(records: Sequence[Record], expected: dict[int, str]) -> list[str]:
    """List what differs from a run without kills."""
    found = []
    ends = Counter(r.trial for r in records if isinstance(r, Ended))
    twice = [trial for trial, count in ends.items() if count > 1]
    if twice:
        found.append(f"ended twice: {twice}")
    got = results(records)
    other = [trial for trial in expected if got.get(trial) != expected[trial]]
    if other or got.keys() != expected.keys():
        found.append(f"not as expected: {other or sorted(got.keys() ^ expected.keys())}")
    epochs = Counter((r.trial, r.epoch) for r in records if isinstance(r, Epoch))
    if set(epochs.values()) != {1} or len(epochs) != _EPOCHS * len(expected):
        found.append("an epoch is missing or stands twice")
    return found


def report(disturbed: Disturbed, records: Sequence[Record], expected: dict[int, str]) -> Table:
    """Tabulate what was done to the study, and the result."""
    table = Table("what", "how often", title="One study, killed again and again")
    for kind in _KINDS:
        table.add_row(f"kills of a {kind}", str(disturbed.kills[kind]))
    table.add_row("starts of the driver", str(disturbed.starts))
    table.add_row("exit codes of drivers that ended by themselves", str(disturbed.codes))
    table.add_row("trials", str(len(expected)))
    table.add_row("lost and run again", str(sum(isinstance(r, Lost) for r in records)))
    table.add_row("problems", "; ".join(problems(records, expected)) or "none")
    return table


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
