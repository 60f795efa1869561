"""The command `python -m search.dashboard`: its options, and the pages that it serves.

The pages are optuna-dashboard's. They show a copy in memory that follows the run's journal.
Nothing is written into the run's folder and its lock is not taken, so the study may be running.
"""

import argparse
import errno
import importlib.util
import socketserver
import threading
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import optuna
from optuna.storages import InMemoryStorage
from rich.console import Console

from res2net.exit_codes import ExitCode, exit_code_help
from res2net.file_names import path_argument
from search.executors.signals import asked_to_end
from search.run_command import guarded
from search.schema.yaml import ConfigError
from search.study import manifest
from search.study.as_optuna import OptunaStudy
from search.study.following import Follower
from search.study.journal import FILE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_EXTRA = "optuna_dashboard"
_EVERY = 1.0  # seconds between two looks at the journal
_READS = ("GET", "HEAD")
_LOCAL = ("127.0.0.1", "localhost")
_REFUSED = b'{"reason": "This page shows a run. It cannot be changed from here."}'


def main(argv: Sequence[str]) -> int:
    """Run the command line; the exit code."""
    return guarded(lambda console: _run(_parser().parse_args(argv), console))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m search.dashboard",
        description="Show a run in optuna-dashboard, live while its study runs. The run is "
        "only read; Ctrl-C ends the dashboard, not the study.",
        epilog=exit_code_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("run", type=path_argument, metavar="RUN", help="folder of the run")
    parser.add_argument(
        "--port", type=_port, default=8080, help="8080 by default; 0 picks a free one"
    )
    parser.add_argument(
        "--host",
        type=_host,
        default="127.0.0.1",
        help="127.0.0.1 by default, for this machine only; the dashboard asks for no password",
    )
    return parser


def _host(text: str) -> str:
    """An address to listen on; an empty one would mean all, which must be asked for."""
    if not text.strip():
        raise argparse.ArgumentTypeError(
            "is empty; write 127.0.0.1 for this machine only, or 0.0.0.0 for every network (a "
            "shell variable without a value?)"
        )
    return text


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; write a number up to 65535")
    return int(text)


def _run(arguments: argparse.Namespace, console: Console) -> int:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder: Path = arguments.run
    if importlib.util.find_spec(_EXTRA) is None:
        raise ConfigError(
            "the dashboard needs a package that is not installed; pip install optuna-dashboard"
        )
    noted = manifest.read(folder)
    if noted is None or not (folder / FILE).is_file():
        raise ConfigError(
            f"{folder}: contains no run ({manifest.FILE} and {FILE}); give the folder of one, "
            "such as runs/quickstart"
        )
    storage, follower = InMemoryStorage(), Follower(folder)
    shown = OptunaStudy(noted, storage)
    shown.take(follower.new())
    asked = threading.Event()
    with ExitStack() as stack:
        stack.enter_context(stack.enter_context(asked_to_end()).passed_to(asked.set))
        server = stack.enter_context(_server(storage, arguments.host, arguments.port))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        stack.callback(server.shutdown)
        console.print(
            f"{noted.plan.study}: http://{arguments.host}:{server.server_port}, until Ctrl-C",
            soft_wrap=True,
        )
        while not asked.wait(_EVERY):
            shown.take(follower.new())
    return ExitCode.STOPPED


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    """Serves several browsers at once, and does not wait for them when it shuts down."""

    daemon_threads = True


class _Handler(WSGIRequestHandler):
    """Does not log a line for each request."""

    def log_message(self, format: str, *args: Any) -> None:
        """Do nothing."""


def _server(storage: InMemoryStorage, host: str, port: int) -> WSGIServer:
    """Open a server of the pages that listens on a port.

    Raises:
        ConfigError: the port is taken, or the host is not an address of this machine.
    """
    from optuna_dashboard import wsgi  # noqa: PLC0415 - an extra

    pages = _only_read(wsgi(storage), host)
    try:
        return make_server(host, port, pages, server_class=_Server, handler_class=_Handler)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(
                f"--port {port}: is used by another process; give another, or 0 to have a "
                "free one picked"
            ) from error
        raise ConfigError(
            f"--host {host} --port {port}: cannot be listened on ({error.strerror}); give an "
            "address of this machine, such as 127.0.0.1, and a port from 1024 up"
        ) from error


def _only_read(pages: "WSGIApplication", host: str) -> "WSGIApplication":
    """The pages, without the requests that would change the copy, or that others sent.

    A page of another site may be made to ask here under a name of its own (DNS rebinding).
    """

    def answer(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        asked = urlsplit(f"//{environ.get('HTTP_HOST', '')}").hostname
        known = host not in _LOCAL or asked in _LOCAL
        if known and environ["REQUEST_METHOD"] in _READS:
            return pages(environ, start)
        start("403 Forbidden", [("Content-Type", "application/json")])
        return [_REFUSED]

    return answer
