"""Rehearses training steps of a network, alone or several at once, and times them.

The images are random and in memory, so that no data is needed yet: the time to read or decode
images is not included.
"""

import contextlib
import multiprocessing
import statistics
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, Self

import torch

from res2net import Architecture
from res2net.child_processes import deaf_to_ctrl_c
from search.engine.bench import make_bench
from search.engine.execution import chosen
from search.engine.meter import Meter
from search.engine.training import Trainer
from search.profiling.estimate import Rehearsal, RehearsalError
from search.profiling.random_images import held_out, random_images
from search.schema.study_plan import StudyPlan
from search.schema.training import Execution
from search.space.survey import Survey
from search.tasks.memory import free_memory, in_fewest_pieces

_STEPS = 8  # number of timed steps
_WARM_UP = 3  # steps before the ones that are timed
_BATCHES = _WARM_UP + _STEPS + 1  # of random images; the last one ends the epoch
_ENOUGH = 20.0  # seconds after which slow networks are not rehearsed further
_FEWEST = 2  # at least two, for quartiles
_PATIENCE = 300.0  # seconds that the slowest of several processes may take to be ready
_END = 3.0  # seconds that a process may take to end


class Rehearsals:
    """Processes that rehearse together, started once.

    Args:
        plan: the recipe, the size of the images, threads and device of a trial.
        beside: how many trials run at once.
        a_gpu: how many of them share a GPU; by default all.
        execution: execution mode of the training pass, by default `execution_of`; its
            preparation is not timed.
    """

    def __init__(
        self,
        plan: StudyPlan,
        *,
        beside: int,
        a_gpu: int | None = None,
        execution: Execution | None = None,
    ) -> None:
        self._execution = execution or execution_of(plan)
        context = multiprocessing.get_context("spawn")
        # Referenced here, as processes that are still starting need it to stay alive.
        self._start = context.Barrier(beside)
        self._silence = max(plan.resources.silence, _PATIENCE)
        self._processes: list[_Process] = []
        with contextlib.ExitStack() as if_interrupted:
            if_interrupted.callback(self._close)
            with deaf_to_ctrl_c():
                for number in range(beside):
                    gpu = number // (a_gpu or beside)
                    one = _Process(context, plan, self._start, self._execution, gpu=gpu)
                    self._processes.append(one)
            if_interrupted.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        for process in self._processes:
            process.close()

    def rehearse(
        self, architecture: Architecture, resolution: float | None = None
    ) -> list[Rehearsal]:
        """Train the same network in every process at the same time.

        Args:
            architecture: architecture of the network.
            resolution: resolution of the images that it sees, in pixels; by default that of the
                plan.

        Raises:
            RehearsalError: a process failed (with its own message), or did not answer for as
                long as a worker may be silent (`resources.silence`, at least 5 minutes).
        """
        for process in self._processes:
            with contextlib.suppress(ConnectionError):  # a dead process does not answer
                process.connection.send((architecture, resolution))
        last = time.monotonic() + self._silence
        answers = [process.answer(last) for process in self._processes]
        failures = [answer for answer in answers if isinstance(answer, str)]
        if failures:  # one of them is the cause; the others waited for it
            raise RehearsalError(min(failures, key=lambda words: "BrokenBarrier" in words))
        return [answer for answer in answers if isinstance(answer, Rehearsal)]


def execution_of(plan: StudyPlan) -> Execution:
    """The execution mode of rehearsals: that of the study's trials, but never compiled.

    Compiling takes a minute per network; on a GPU, graphs, which are closest, replace it.
    """
    recipe, gpu = plan.training, plan.resources.gpu > 0
    device = torch.device("cuda" if gpu else "cpu")
    steps = recipe.epochs * recipe.steps(plan.data.train)
    execution = chosen(recipe.execution, device=device, steps=steps)
    if execution != "compile":
        return execution
    return "graphs" if gpu else "eager"


def rehearsed(stage: Rehearsals, survey: Survey, candidate: int) -> list[Rehearsal]:
    """Rehearse a candidate of a study with images of its own resolution.

    Raises:
        RehearsalError: a process failed (with its own message).
    """
    own = survey.settings(candidate)
    return stage.rehearse(survey.architecture(candidate), own.get("resolution"))


class _Process:
    """One process and the connection to it."""

    def __init__(
        self,
        context: SpawnContext,
        plan: StudyPlan,
        start: Barrier,
        execution: Execution,
        *,
        gpu: int,
    ) -> None:
        self.connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(plan.model_dump(), start, theirs, execution, gpu), daemon=True
        )
        self._process.start()
        theirs.close()  # so that the end of the process is noticed here

    def answer(self, last: float) -> Rehearsal | str:
        """The measurements, or a message about what went wrong.

        Args:
            last: time of the monotonic clock until which the answer is waited for.
        """
        try:
            if not self.connection.poll(max(0.0, last - time.monotonic())):
                return "its process hangs: it did not answer within resources.silence"
            answer: Rehearsal | str = self.connection.recv()
        except (EOFError, ConnectionError):
            self._process.join(_END)
            return f"its process ended with {self._process.exitcode}"
        return answer

    def close(self) -> None:
        self.connection.close()
        self._process.kill()  # it stores nothing, and may be busy, starting or hang
        self._process.join(_END)


def _serve(
    plan: dict[str, Any],
    start: Barrier,
    connection: Connection,
    execution: Execution,
    gpu: int,
) -> None:
    """Run in a process: rehearse every network received, until the connection is closed."""
    own = StudyPlan.model_validate(plan)
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            architecture, resolution = connection.recv()
            try:
                at = own.at(resolution or own.data.resolution)
                connection.send(_rehearse(at, architecture, start, execution, gpu))
            except Exception as error:  # noqa: BLE001 - sent to the requesting process
                start.abort()
                connection.send(f"{type(error).__name__}: {error}")


def _rehearse(
    plan: StudyPlan, architecture: Architecture, start: Barrier, execution: Execution, gpu: int
) -> Rehearsal:
    torch.set_num_threads(plan.resources.cpu)
    if plan.resources.gpu:
        torch.cuda.set_device(gpu)  # graphs are captured on the current one
        free_memory()  # memory of the previous network
    bench = make_bench(
        plan,
        Path(),
        device=torch.device(f"cuda:{gpu}" if plan.resources.gpu else "cpu"),
        images=random_images(plan, batches=_BATCHES),
    )
    # Random scenes lack objects of some sizes, by which a study may compare networks.
    bench = bench._replace(compared=())
    recipe, once = plan.training, _Once(start)

    def run(pieces: int) -> Rehearsal:
        meter = Meter(bench.device, alone=False)
        trainer = Trainer(
            architecture,
            bench,
            epochs=recipe.epochs,
            seed=0,
            pieces=pieces,
            execution=execution,
        )
        # Captured or compiled passes are prepared in these steps, and need all of them.
        fewest = 1 if execution == "eager" else _WARM_UP
        timed_runs(lambda: _step(trainer), most=_WARM_UP, fewest=fewest)
        once.wait()
        steps = timed_runs(lambda: _step(trainer), most=_STEPS, fewest=_FEWEST)
        # The first pass of a kind is slower, but only slightly if passes are long.
        passes = timed_runs(lambda: trainer.scores("test"), most=2, fewest=1)
        low, _, high = statistics.quantiles(steps, n=4, method="inclusive")
        # Of a GPU all that is reserved counts, as for graphs: it must fit beside other trials.
        memory = meter.read(graphs=True).peak_memory or 0
        return Rehearsal(
            statistics.median(steps),
            (low, high),
            passes[-1] / held_out(plan),
            memory,
            trainer.execution,
        )

    found, parts = in_fewest_pieces(run, fewest=recipe.accumulate, most=recipe.batch_size)
    return found._replace(parts=parts)


class _Once:
    """A start of several processes, for which each waits once."""

    def __init__(self, start: Barrier) -> None:
        self._start, self._passed = start, False

    def wait(self) -> None:
        if not self._passed:
            self._start.wait(_PATIENCE)
        self._passed = True


def timed_runs(
    run: Callable[[], object], *, most: int, fewest: int, enough: float = _ENOUGH
) -> list[float]:
    """Seconds of each of several runs; a detector's run on a CPU may take half a minute.

    Args:
        run: the function to time.
        most: number of runs if they are fast.
        fewest: number of runs if they are slow.
        enough: total seconds after which no run beyond the fewest starts.
    """
    seconds: list[float] = []
    while len(seconds) < fewest or (len(seconds) < most and sum(seconds) < enough):
        begun = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begun)
    return seconds


def _step(trainer: Trainer) -> None:
    """Run the next step, and wait until it is finished."""
    trainer.epoch(trial=0, seconds=0.0)
    trainer.wait()
