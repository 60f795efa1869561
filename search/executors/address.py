"""Checks within seconds that a Ray cluster answers at an address. Ray is not imported here.

Ray itself tries for many minutes, in a call that cannot be interrupted: so a child process
connects first, and is killed if that takes too long.
"""

import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple

from search.schema.yaml import ConfigError

_SECONDS = 3.0  # to resolve a name, and to answer
_JOIN_SECONDS = 8.0  # for Ray to connect to a server that answers
_FORMS = "write HOST:PORT of the cluster's head, as `ray start --head` prints it, or auto"
_REMEDY = "start one with `ray start --head`, or leave --address out"
_REFUSED = "Failed to get cluster ID"  # Ray's message when the server answered but refused
_TOKEN = "InvalidAuthToken"  # noqa: S105 - not a secret: Ray's message about a token
# Start of an HTTP/2 connection; a server, as Ray's are, answers with its settings.
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\4" + bytes(5)
_SETTINGS = 4  # type of a frame, in its fourth byte
_JOINING = "joining"
_JOIN = f"""\
import sys, ray
print({_JOINING!r}, file=sys.stderr, flush=True)
ray.init(address=sys.argv[1], log_to_driver=False, logging_level=40)
"""


class _Place(NamedTuple):
    host: str
    port: int


def check_address(address: str) -> None:
    """Connect to a cluster briefly.

    Args:
        address: HOST:PORT, or auto: that of RAY_ADDRESS, or of the cluster on this machine.

    Raises:
        ConfigError: it is not an address, or no cluster answers there; after at most about ten
            seconds.
    """
    said = f"--address {address}"
    named = os.environ.get("RAY_ADDRESS") if address == "auto" else None
    if named:
        said += f" (RAY_ADDRESS is {named})"
    if address != "auto" or named:
        _ask(_place(named or address, said), said)
    _join(address, said)


def _place(address: str, said: str) -> _Place:
    """The two parts of HOST:PORT."""
    if "://" in address:
        raise ConfigError(
            f"{said}: is not the address of a cluster's head, and trials cannot be run through "
            f"Ray's client; on a machine of the cluster {_FORMS}"
        )
    parts = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):(\d{1,5})", address)
    if not parts or not 0 < int(parts[2]) < 1 << 16:
        raise ConfigError(f"{said}: is not an address; {_FORMS}")
    return _Place(parts[1].strip("[]"), int(parts[2]))


def _ask(place: _Place, said: str) -> None:
    """Open a connection and wait for the first bytes of an HTTP/2 server."""
    address = _resolved(place, said)
    try:
        with socket.create_connection(address, timeout=_SECONDS) as connection:
            connection.sendall(_PREFACE)
            answer = connection.recv(9)
    except OSError as error:
        reason = "no answer" if isinstance(error, TimeoutError) else error.strerror or error
        raise ConfigError(
            f"{said}: no Ray cluster answers there ({reason}); {_REMEDY}"
        ) from error
    if len(answer) < 4 or answer[3] != _SETTINGS:
        raise ConfigError(
            f"{said}: something answers there, but it is not a Ray cluster; {_FORMS}"
        )


def _resolved(place: _Place, said: str) -> tuple[str, int]:
    """Resolve the host, with a time limit: a silent name server could take minutes."""
    found: list[str] = []

    def resolve() -> None:
        with contextlib.suppress(OSError, UnicodeError):  # for names that cannot be a host's
            infos = socket.getaddrinfo(*place, type=socket.SOCK_STREAM)
            found.extend(str(info[4][0]) for info in infos)

    asking = threading.Thread(target=resolve, daemon=True)
    asking.start()
    asking.join(_SECONDS)
    if not found:
        raise ConfigError(f"{said}: no machine called {place.host} is known here; {_FORMS}")
    return found[0], place.port


def _join(address: str, said: str) -> None:
    """Let a child process connect as this process will."""
    child = subprocess.Popen(  # noqa: S603 - this Python, with an address as its argument
        [sys.executable, "-c", _JOIN, address],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        cwd=Path(__file__).parents[2],
        start_new_session=True,  # this process handles Ctrl-C
    )
    too_long = threading.Timer(_JOIN_SECONDS, child.kill)
    too_long.daemon = True
    last = "it does not answer Ray"
    assert child.stderr is not None, "asked for above"
    try:
        for line in child.stderr:
            if line.strip() == _JOINING:
                too_long.start()
            elif line.strip():
                last = re.sub(r"^\[.*?\] (\S+:\d+: )?", "", line.strip())
            if _REFUSED in line:
                break
        else:
            if child.wait() == 0:
                return
    finally:
        too_long.cancel()
        child.kill()
        child.wait()
        child.stderr.close()
    if _TOKEN in last:
        raise ConfigError(
            f"{said}: the Ray cluster there asks for a token and was not given the right one; "
            "set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN, or RAY_AUTH_TOKEN_PATH, as for "
            "`ray start`"
        )
    raise ConfigError(f"{said}: no Ray cluster answers there ({last}); {_REMEDY}")
