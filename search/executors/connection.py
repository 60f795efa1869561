"""Connects this process to Ray: to a running cluster, or to one started on this machine."""

import logging
import os
import secrets
from pathlib import Path
from typing import Any

import ray

from res2net.file_names import printable
from search.schema.yaml import ConfigError

_ENVIRONMENT = {
    # We keep our own record; Ray's loggers write every result three times.
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    # Ray rewrites its whole state each time it saves it, and we never read it.
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


def connect(address: str | None) -> None:
    """Join a Ray cluster, or start Ray on this machine.

    Args:
        address: of a running cluster; None starts Ray here.

    Raises:
        ConfigError: no cluster answers there, or a name on the way is no text.
    """
    os.environ |= _ENVIRONMENT
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # the journal has the reasons
    try:
        _start(address)
    except ConnectionError as error:
        raise ConfigError(
            f"--address {address}: no Ray cluster answers there ({error}); start one with "
            "`ray start --head`, set RAY_AUTH_MODE=token if it asks for a token (Ray 2.60 does "
            "by default), or leave --address out"
        ) from error
    except UnicodeEncodeError as error:  # it keeps the command line and the current folder
        raise ConfigError(
            f"Ray takes only text, and {printable(str(error.object))!r} has bytes that are "
            "none; write such a data.root into the space file (in double quotes, \\uDCE9 for "
            "the byte E9), call the folder by another name, or add --inline"
        ) from error


def _start(address: str | None) -> None:
    how: Any = {
        "address": address or "local",  # never a cluster that happens to run here
        "include_dashboard": False if address is None else None,
        "log_to_driver": False,
        "logging_level": logging.ERROR,
    }
    try:
        ray.init(**how)
    except OSError as error:
        if address is not None or not _is_ray_token(error):
            raise
        # Ray keeps the token of its own processes in the home folder, which cannot be written:
        # one that they inherit does as well.
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
        ray.init(**how)


def _is_ray_token(error: OSError) -> bool:
    """Whether it is about the home folder, where Ray writes nothing else."""
    home = str(Path.home())
    return "RAY_AUTH_TOKEN" not in os.environ and str(error.filename).startswith(home)
