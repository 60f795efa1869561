"""Connects this process to Ray, watches that Ray lives, and leaves it within limited time."""

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import ray

from res2net.exit_codes import ExitCode
from search.executors.broker import Broker
from search.executors.patience import waiting_at_most
from search.executors.signals import asked_to_end
from search.executors.starting import connect
from search.schema.yaml import ConfigError

_LOOK_SECONDS = 0.5  # between two checks of Ray's processes
# Seconds: for Ray on this machine; for a cluster, whose head may be restarted.
_PATIENCE = {True: 0.0, False: 20.0}
# Seconds to end in order: a preempted machine has thirty, and parts of a dead Ray never end.
_SAVE_SECONDS, _LOST_SECONDS = 20.0, 10.0
_START_SECONDS = 300.0  # within which Ray must start, or answer
_NO_START = (
    f"Ray did not start within {_START_SECONDS:.0f} s, or was interrupted, and lets "
    "nothing else run: this process was killed; nothing is lost; the same command resumes the "
    "study, or with --inline runs its trials in its own process"
)
_LATE_SECONDS = 7.0  # after the deadline, and again for Tune: a turn takes five


class RayLostError(ConnectionError):
    """Ray died while this process was using it: nothing more can run, but nothing is lost."""


class Connection:
    """This process's connection to Ray.

    Args:
        local: whether Ray was started on this machine only for this process.

    Attributes:
        asked: whether the trials were asked to end.
    """

    def __init__(self, *, local: bool) -> None:
        self._local, self.asked = local, False
        self._over = threading.Event()  # set when the watched block ends
        self._left = False
        self._end: threading.Timer | None = None
        # Held while one of these changes; a signal may come while this thread holds it.
        self._changing = threading.RLock()

    @contextlib.contextmanager
    def watched(self, broker: Broker, *, seconds: float | None) -> Iterator[None]:
        """While trials run, end them in order if Ray dies, or on a signal or the deadline.

        Args:
            broker: gets a failure if Ray dies, so that nothing is noted of trials that die
                with it.
            seconds: until workers stop by themselves; workers that hang are not waited for.
        """
        late = threading.Timer(max(0.0, seconds or 0.0) + _LATE_SECONDS, self._too_late)
        late.daemon = True
        if seconds is not None:
            late.start()
        watch = threading.Thread(target=self._watch, args=(broker,), daemon=True)
        watch.start()
        in_main = threading.current_thread() is threading.main_thread()
        before = signal.signal(signal.SIGUSR1, _nothing) if in_main else None
        try:
            with asked_to_end() as wish, wish.passed_to(self._stop):
                yield
        except Exception:
            # The exception is Ray's message about its death; ours says what to do.
            if not isinstance(broker.failure, RayLostError):
                raise
        finally:
            late.cancel()
            with self._changing:
                self._over.set()
            if in_main:
                signal.signal(signal.SIGUSR1, before)

    def left(self) -> None:
        """Note that Ray was left: nothing can hang any more."""
        with self._changing:
            self._left = True
            if self._end is not None:
                self._end.cancel()

    def _stop(self) -> None:
        """Let Tune stop its workers, which save; a worker that hangs is not waited for."""
        if not _tune_listens():
            raise KeyboardInterrupt
        self.asked = True
        self._end_within(
            "stopped: Ray does not end and is left behind; what has finished is kept; the same "
            "command resumes it",
            _SAVE_SECONDS,
            ExitCode.STOPPED,
        )
        signal.raise_signal(signal.SIGUSR1)

    def _watch(self, broker: Broker) -> None:
        processes = _processes()
        since: dict[str, float] = {}
        while not self._over.wait(_LOOK_SECONDS):
            for name, address in processes.items():
                if _listens(address):
                    since.pop(name, None)
                    continue
                gone = time.monotonic() - since.setdefault(name, time.monotonic())
                if self._over.is_set():
                    return  # it was left meanwhile
                if gone >= _PATIENCE[self._local]:
                    self._lost(name, broker)
                    return

    def _lost(self, name: str, broker: Broker) -> None:
        error = RayLostError(
            f"Ray has died: {name} is gone (killed, perhaps because memory ran out); what has "
            "finished is kept, and so are the checkpoints of trials under way; the same "
            "command resumes it"
        )
        if broker.failure is None:
            broker.failure = error
        self._end_within(str(error), _LOST_SECONDS, ExitCode.FAILED)
        self._stop_tune()

    def _too_late(self) -> None:
        """End the process if the deadline has passed and a worker does not react."""
        if not self._over.is_set():
            self._end_within(
                "time is up, and a worker that hangs is not waited for; what has finished is "
                "kept; the same command resumes it",
                _LATE_SECONDS,
                ExitCode.OUT_OF_TIME,
            )
            self._stop_tune()

    def _stop_tune(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            with self._changing:
                if _tune_listens() and not self._over.is_set():
                    signal.raise_signal(signal.SIGUSR1)
                    return

    def _end_within(self, words: str, seconds: float, code: ExitCode) -> None:
        """End the process, with a message, unless it ends by itself in time."""
        with self._changing:
            if self._end is None and not self._left:
                self._end = threading.Timer(seconds, _end, args=(words, code))
                self._end.daemon = True
                self._end.start()


@contextlib.contextmanager
def connected(
    address: str | None, environment: dict[str, Any] | None = None
) -> Iterator[Connection]:
    """Connect to a Ray cluster, or to Ray on this machine, started for this purpose.

    Args:
        address: address of a running cluster; None starts Ray here.
        environment: environment of its workers, Ray's `runtime_env`.

    Raises:
        ConfigError: no cluster answers there, or a name that Ray gets is not valid text.
    """
    if ray.is_initialized():
        raise ConfigError(
            "Ray already runs in this process, but a study starts or joins its own; call "
            "ray.shutdown() first, or run trials in this process (inline=True)"
        )
    connection = Connection(local=address is None)
    with asked_to_end() as wish:
        try:
            with waiting_at_most(_START_SECONDS, _NO_START):
                connect(address, environment)
            wish.take()
            yield connection
        finally:
            try:
                ray.shutdown()
            finally:  # also where a second wish interrupts it
                wish.take()
                connection.left()


def _processes() -> Mapping[str, tuple[str, int]]:
    """The addresses of Ray's processes that this process needs, by their names."""
    context = ray.get_runtime_context()
    host, _, port = context.gcs_address.rpartition(":")
    found = {"its head (gcs_server)": (host.strip("[]"), int(port))}
    for node in ray.nodes():  # type: ignore[no-untyped-call]  # Ray has no type for it
        if node["NodeID"] == context.get_node_id():
            here = (str(node["NodeManagerAddress"]), int(node["NodeManagerPort"]))
            found["its process on this machine (raylet)"] = here
    return found


def _listens(address: tuple[str, int]) -> bool:
    """Whether a process listens there; if it is busy, or the network slow, assume so."""
    try:
        socket.create_connection(address, timeout=2).close()
    except ConnectionRefusedError:
        return False
    except OSError:
        return True
    return True


def _tune_listens() -> bool:
    """Whether Tune runs, and handles the signal that asks it to end."""
    handler = signal.getsignal(signal.SIGUSR1)
    return callable(handler) and handler is not _nothing


def _nothing(number: int, frame: object) -> None:
    """Ignore SIGUSR1, which would end the process if it came just after Tune has ended."""


def _end(words: str, code: ExitCode) -> None:
    with contextlib.suppress(OSError):
        shown = "\x1b[?25h" if os.isatty(2) else ""  # the live display had hidden the cursor
        os.write(2, f"{shown}{words}\n".encode())
    os._exit(code)
