"""Connects this process to Ray, watches that Ray lives, and leaves it within limited time."""

import contextlib
import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ray
from ray._private import ray_constants

from res2net.exit_codes import ExitCode
from res2net.file_names import printable
from search.executors.broker import Broker
from search.executors.patience import waiting_at_most
from search.executors.signals import asked_to_end
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
_ENVIRONMENT = {
    # The journal is our record; Ray's loggers write every result three times.
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    # Ray rewrites its whole state at each save, and we never read it.
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",
    # We handle signals, see search.executors.signals.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Workers started ahead are never used: our actors come before those are ready.
    "RAY_prestart_worker_first_driver": "0",
}


class RayLostError(ConnectionError):
    """Ray died while this process was using it: nothing more can run, but nothing is lost."""


class Connection:
    """This process's connection to Ray.

    Args:
        local: whether Ray was started on this machine only for this process.
    """

    def __init__(self, *, local: bool) -> None:
        self._local = local
        self._over = threading.Event()  # set when the watched block ends
        self._end: threading.Timer | None = None

    @contextlib.contextmanager
    def watched(self, broker: Broker, *, seconds: float | None) -> Iterator[None]:
        """While trials run, end them in order if Ray dies, or on a signal or the deadline.

        Args:
            broker: gets a failure if Ray dies, so that nothing is noted of trials that die
                with it.
            seconds: until workers stop by themselves; workers that hang are not waited for.
        """
        if seconds is not None:
            late = threading.Timer(max(0.0, seconds) + _LATE_SECONDS, self._too_late)
            late.daemon = True
            late.start()
        watch = threading.Thread(target=self._watch, args=(broker,), daemon=True)
        watch.start()
        before = signal.getsignal(signal.SIGUSR1)
        try:
            with asked_to_end() as wish, wish.passed_to(self._stop):
                yield
        except Exception:
            # The exception is Ray's message about its death; ours says what to do.
            if not isinstance(broker.failure, RayLostError):
                raise
        finally:
            self._over.set()
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGUSR1, before)

    def left(self) -> None:
        """Note that Ray was left: nothing can hang any more."""
        if self._end is not None:
            self._end.cancel()

    def _stop(self) -> None:
        """Let Tune stop its workers, which save; a worker that hangs is not waited for."""
        if not _tune_listens():
            raise KeyboardInterrupt
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
            if _tune_listens():
                signal.raise_signal(signal.SIGUSR1)
                return

    def _end_within(self, words: str, seconds: float, code: ExitCode) -> None:
        """End the process, with a message, unless it ends by itself in time."""
        if self._end is None:
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
            ray.shutdown()
            wish.take()
            connection.left()


def connect(address: str | None, environment: dict[str, Any] | None = None) -> None:
    """Join a Ray cluster, or start Ray on this machine.

    Args:
        address: address of a running cluster; None starts Ray here.
        environment: environment of its workers, Ray's `runtime_env`.

    Raises:
        ConfigError: no cluster answers there, or a name that Ray gets is not valid text.
    """
    os.environ |= _ENVIRONMENT
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # the journal records the reasons
    try:
        _start(address, environment)
    except (ConnectionError, ValueError) as error:
        if isinstance(error, UnicodeEncodeError):  # Ray stores command line and folder
            raise ConfigError(
                f"Ray takes only text, and {printable(str(error.object))!r} has bytes that are "
                "not text; write such a data.root into the space file (in double quotes, "
                "\\uDCE9 for the byte E9), rename the folder, or add --inline"
            ) from error
        if address is None:
            raise
        raise ConfigError(
            f"--address {address}: no Ray cluster answers there ({error}); start one with "
            "`ray start --head`, set RAY_AUTH_MODE=token if it asks for a token (Ray 2.60 does "
            "by default), or leave --address out"
        ) from error
    except SystemExit as error:  # raised by Ray on a SIGTERM
        raise KeyboardInterrupt from error


def _start(address: str | None, environment: dict[str, Any] | None) -> None:
    how: Any = {
        "runtime_env": environment,
        "address": address or "local",  # never join a cluster that happens to run here
        "include_dashboard": False if address is None else None,
        "log_to_driver": False,
        "logging_level": logging.ERROR,
    }
    with _on_loopback() if address is None else contextlib.nullcontext():
        try:
            ray.init(**how)
        except OSError as error:
            if address is not None or not _is_ray_token(error):
                raise
            # Ray stores the token of its own processes in the home folder, which is not
            # writable: a token that they inherit from here works as well.
            os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
            ray.init(**how)


@contextlib.contextmanager
def _on_loopback() -> Iterator[None]:
    """Keep what Ray starts unreachable from outside this machine, as it is by default on a Mac.

    RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0 has the same effect, but is read when Ray is imported,
    and `_node_ip_address="127.0.0.1"` is replaced by an address that can be reached.
    """
    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


def _is_ray_token(error: OSError) -> bool:
    """Whether the error is about the home folder, where Ray writes nothing but its token."""
    home = str(Path.home())
    return "RAY_AUTH_TOKEN" not in os.environ and str(error.filename).startswith(home)


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
    return callable(signal.getsignal(signal.SIGUSR1))


def _end(words: str, code: ExitCode) -> None:
    with contextlib.suppress(OSError):
        shown = "\x1b[?25h" if os.isatty(2) else ""  # the live display had hidden the cursor
        os.write(2, f"{shown}{words}\n".encode())
    os._exit(code)
