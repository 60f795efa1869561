"""The sides of `benchmarks.harness`; each runs in its own process and prints ends of trials.

    python -m benchmarks.harness_sides SIDE TRIALS

Every trial learns nothing. A worker leaves a file when it is set up, which tells when all slots
were busy.
"""

import contextlib
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.memory import peak
from search.study.events import Ended, Epoch, Started, Status

BEGIN, WORKERS = "HARNESS_BEGIN", "HARNESS_WORKERS"  # environment: seconds since 1970, a folder
SLOTS, NODES = 2, 4
_SPACE = """\
study: noop
network:
  skeleton: cifar
  planes: 2
  depth: [11, 20, 29, 38, 47, 56, 65, 74, 83, 92]
  cardinality: {from: 1, to: 12}
  scale: {from: 1, to: 8}
  width: {from: 1, to: 16}
data: {name: synthetic, validation: 64}
task: "benchmarks.noop:NoOp"
training: {epochs: 1, batch_size: 32, lr: 0.1, precision: fp32}
search: {sampler: random, trials: TRIALS}
keep: {best: 0}
"""
Times = list[float]  # ends of trials in seconds since 1970


def ours(trials: int, *, inline: bool = False, address: str | None = None) -> Times:
    """Run a study of this project."""
    from search.api import run_study  # noqa: PLC0415 - only this side

    times = []

    def note(event: Any) -> None:
        if isinstance(event, Ended):
            times.append(time.time())

    with tempfile.TemporaryDirectory() as folder:
        space = Path(folder) / "noop.yaml"
        space.write_text(_SPACE.replace("TRIALS", str(trials)), encoding="utf-8")
        out = Path(folder) / "run"
        run_study(space, out=out, inline=inline, address=address, on_event=note)
    return times


def bare(
    trials: int, *, reuse: bool, quick: bool = False, address: str = "local", slots: int = SLOTS
) -> Times:
    """Run a plain `Tuner` whose trials do nothing.

    Args:
        trials: number of trials.
        reuse: whether a worker runs more than one trial.
        quick: whether to use the Ray settings of our executor.
        address: address of a cluster; "local" starts Ray.
        slots: number of CPUs if Ray is started.
    """
    if quick:
        from search.executors.starting import _ENVIRONMENT  # noqa: PLC0415 - only this side

        os.environ |= _ENVIRONMENT
    import ray  # noqa: PLC0415 - reads the environment
    from ray import tune  # noqa: PLC0415

    # Tune copies callbacks with their contents, but a file descriptor's number stays valid.
    ends = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed when it is read
    number = ends.fileno()

    class Nothing(tune.Trainable):
        def setup(self, config: dict[str, Any]) -> None:  # noqa: ARG002 - Ray's signature
            Path(os.environ[WORKERS], str(os.getpid())).touch()

        def step(self) -> dict[str, Any]:
            return {"error": 50.0, "done": True}

        def reset_config(self, new_config: dict[str, Any]) -> bool:  # noqa: ARG002
            return True

    class Note(tune.Callback):
        def on_trial_complete(self, **_: Any) -> None:
            os.write(number, b"%f\n" % time.time())

    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    where = {"num_cpus": slots, "include_dashboard": False} if address == "local" else {}
    ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **where)
    with tempfile.TemporaryDirectory() as folder:
        tune.Tuner(
            tune.with_resources(Nothing, {"cpu": 1}),
            param_space={"x": tune.uniform(0, 1)},
            tune_config=tune.TuneConfig(num_samples=trials, reuse_actors=reuse),
            run_config=tune.RunConfig(
                storage_path=folder,
                verbose=0,
                callbacks=[Note()],
                # It has nothing to save, and would fail because it cannot save.
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            ),
        ).fit()
    ray.shutdown()
    with ends:
        ends.seek(0)
        return [float(line) for line in ends]


def optuna(trials: int) -> Times:
    """Run Optuna alone, one trial after another, writing the same journal."""
    import optuna as library  # noqa: PLC0415 - only this side

    from search.study.journal import Journal  # noqa: PLC0415

    times: Times = []
    library.logging.set_verbosity(library.logging.WARNING)
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder)) as journal:

        def trial_of(trial: Any) -> float:
            names = ("depth", "width", "scale", "cardinality")
            drawn = {name: trial.suggest_int(name, 1, 16) for name in names}
            for record in _records(trial.number, drawn):
                journal.append(record)
            times.append(time.time())
            return 50.0

        study = library.create_study(sampler=library.samplers.RandomSampler(seed=0))
        study.optimize(trial_of, n_trials=trials)
    return times


def _records(number: int, drawn: dict[str, int]) -> Sequence[Started | Epoch | Ended]:
    return (
        Started(
            trial=number, phase="search", name=f"network{number}", architecture=drawn, seed=0,
            epochs=1, threads=1, params=1, macs=1, activations=1, time=time.time(),
        ),
        Epoch(trial=number, epoch=1, metrics={"val_error": 50.0}, images_per_s=1, seconds=0.1),
        Ended(trial=number, status=Status.OK, epochs=1, metrics={"val_error": 50.0}),
    )  # fmt: skip


@contextlib.contextmanager
def nodes() -> Iterator[str]:
    """Start a local cluster of nodes with one CPU each, and a head without CPUs."""
    from ray.cluster_utils import Cluster  # noqa: PLC0415 - seconds

    head = {"num_cpus": 0, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(NODES):
        cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    os.environ[BEGIN] = str(time.time())  # exclude the start of the cluster
    yield cluster.address
    cluster.shutdown()


def ours_on_nodes(trials: int) -> Times:
    """Run a study on the cluster."""
    with nodes() as address:
        return ours(trials, address=address)


def bare_on_nodes(trials: int) -> Times:
    """Run a plain Tuner on the cluster."""
    with nodes() as address:
        return bare(trials, reuse=True, quick=True, address=address)


SIDES: dict[str, Callable[[int], Times]] = {
    "ours on Ray": ours,
    "bare, our settings": lambda trials: bare(trials, reuse=True, quick=True),
    "bare, reused actors": lambda trials: bare(trials, reuse=True),
    "bare": lambda trials: bare(trials, reuse=False),
    "ours --inline": lambda trials: ours(trials, inline=True),
    "Optuna alone": optuna,
    "ours, nodes": ours_on_nodes,
    "bare, nodes": bare_on_nodes,
}


def main(argv: Sequence[str]) -> int:
    """Run one side; its last line is a JSON object with seconds since the process began."""
    side, trials = argv
    with tempfile.TemporaryDirectory() as workers:
        os.environ[WORKERS] = workers
        ends = SIDES[side](int(trials))
        # This process checks the task, too, but is a worker only where there is no other.
        files = list(Path(workers).iterdir())
        others = [path for path in files if path.name != str(os.getpid())] or files
        ready = sorted(path.stat().st_mtime for path in others)
    begin = float(os.environ[BEGIN])
    told: dict[str, Any] = {"memory": peak(os.getpid())}
    told |= {"ends": [each - begin for each in ends], "ready": [each - begin for each in ready]}
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
