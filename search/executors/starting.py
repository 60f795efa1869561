"""Starts Ray on this machine for a study, or joins a cluster that runs."""

import contextlib
import functools
import logging
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ray
from ray._private import ray_constants, services

from res2net.cores import usable_cores
from res2net.file_names import printable
from search.schema.yaml import ConfigError

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
        # Ray counts all cores of the machine, also those that this process may not use.
        "num_cpus": usable_cores() if address is None else None,
        "log_to_driver": False,
        "logging_level": logging.ERROR,
    }
    with _apart() if address is None else contextlib.nullcontext():
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
def _apart() -> Iterator[None]:
    """Keep what Ray starts away from the network, and from signals to this process's group.

    It is unreachable from outside this machine, as by default on a Mac.
    RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0 has the same effect, but is read when Ray is imported,
    and `_node_ip_address="127.0.0.1"` is replaced by an address that can be reached.

    A closed terminal, `timeout` and `kill %1` send their signal to the whole process group. It
    would kill Ray before the workers have saved.
    """
    names: Any = services  # mypy lets no class in it be replaced
    before = ray_constants.ENABLE_RAY_CLUSTER, names.ConsolePopen
    ray_constants.ENABLE_RAY_CLUSTER = False
    if sys.platform == "linux":  # elsewhere Ray ends its processes by their group
        names.ConsolePopen = functools.partial(names.ConsolePopen, process_group=0)
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER, names.ConsolePopen = before


def _is_ray_token(error: OSError) -> bool:
    """Whether the error is about the home folder, where Ray writes nothing but its token."""
    home = str(Path.home())
    return "RAY_AUTH_TOKEN" not in os.environ and str(error.filename).startswith(home)
