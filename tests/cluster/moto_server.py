"""Moto's server of S3, with the one word corrected by which it differs from Amazon's.

`python moto_server.py PORT`. Amazon ends an upload in parts with a word that ends in Result,
and pyarrow takes anything else for a failure; moto 5.2 writes ...Response.
"""

import sys
from collections.abc import Callable, Iterable
from typing import Any

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

_MOTO, _AMAZON = b"CompleteMultipartUploadResponse", b"CompleteMultipartUploadResult"


class Corrected:
    """An application whose answers bear Amazon's word."""

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(
        self, environment: dict[str, Any], start: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer a request, as WSGI has it."""
        began: list[tuple[str, list[tuple[str, str]]]] = []
        body = b"".join(
            self._moto(environment, lambda status, headers, *_: began.append((status, headers)))
        )
        status, headers = began[-1]
        if _MOTO in body:
            body = body.replace(_MOTO, _AMAZON)
            headers = [(k, v) for k, v in headers if k.lower() != "content-length"]
            headers.append(("Content-Length", str(len(body))))
        start(status, headers)
        return [body]


if __name__ == "__main__":
    run_simple("127.0.0.1", int(sys.argv[1]), Corrected(), threaded=True)
