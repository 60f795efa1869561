"""Files in an object store, by URIs such as s3://bucket/folder. No torch here.

They are read and written whole: an object appears when all of it has arrived, or not at all.
Credentials are taken from the environment, in the usual way of such stores.
"""

import functools
import io
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from res2net.file_names import path_of

_CONNECT, _ANSWER = 5.0, 8.0  # seconds without a byte
_ATTEMPTS = 3
_OPTIONS = ("endpoint_override", "region", "scheme")  # names as in pyarrow
_FORMS = "write s3://bucket/folder, file:///folder, or a folder"


class RemoteFile(NamedTuple):
    """A file or folder of an object store; has what checkpoints and weights need of `Path`.

    Attributes:
        place: bucket and path.
        options: how to reach the store, as in the URI's query.
    """

    place: PurePosixPath
    options: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        query = "&".join(f"{key}={value}" for key, value in self.options)
        return f"s3://{self.place}" + (f"?{query}" if query else "")

    def __truediv__(self, name: str) -> Self:
        return self._replace(place=self.place / name)

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.place.name

    @property
    def stem(self) -> str:
        """Its name without the suffix."""
        return self.place.stem

    @property
    def suffix(self) -> str:
        """The end of its name, from the last dot."""
        return self.place.suffix

    def with_name(self, name: str) -> Self:
        """The file with another name in the same folder."""
        return self._replace(place=self.place.with_name(name))

    def with_suffix(self, suffix: str) -> Self:
        """The same file with another suffix."""
        return self._replace(place=self.place.with_suffix(suffix))

    def open(self, mode: str = "rb") -> IO[bytes]:
        """Its content, in memory.

        Args:
            mode: "rb", for reading; see `replacing` for writing.

        Raises:
            OSError: it is not there (FileNotFoundError), or the store does not return it.
        """
        assert mode == "rb", "what is written replaces the whole"
        with self._store.open_input_stream(str(self.place)) as stream:
            return io.BytesIO(stream.read())

    @contextmanager
    def replacing(self, *, before: Self | None = None) -> Iterator[IO[bytes]]:
        """A file in memory, which replaces this one when it is complete.

        Args:
            before: where the present file is copied; None discards it.
        """
        content = io.BytesIO()
        yield content
        if before is not None and self.exists():
            self._store.copy_file(str(self.place), str(before.place))
        with self._store.open_output_stream(str(self.place)) as stream:
            stream.write(content.getbuffer())

    def exists(self) -> bool:
        """Whether the file exists."""
        return bool(self._store.get_file_info(str(self.place)).is_file)

    def unlink(self, *, missing_ok: bool = False) -> None:
        """Remove it."""
        if missing_ok and not self.exists():
            return
        self._store.delete_file(str(self.place))

    def files(self) -> Iterator[Self]:
        """The files directly in this folder; none where there is no such folder."""
        from pyarrow import fs  # noqa: PLC0415 - most studies do not need it

        below = fs.FileSelector(str(self.place), allow_not_found=True)
        for info in self._store.get_file_info(below):
            if info.is_file:
                yield self / info.base_name

    @property
    def _store(self) -> Any:
        return _store(self.place.parts[0], self.options)


File = Path | RemoteFile


@functools.cache  # looking for credentials and a region takes seconds where there are none
def _store(bucket: str, options: tuple[tuple[str, str], ...]) -> Any:
    from pyarrow import fs  # noqa: PLC0415 - most studies do not need it

    return fs.S3FileSystem(
        allow_delayed_open=True,  # saves a request for a small file
        connect_timeout=_CONNECT,
        request_timeout=_ANSWER,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
        **_with_region(bucket, dict(options)),
    )


def _with_region(bucket: str, options: Mapping[str, str]) -> Mapping[str, str]:
    """Add the region of an Amazon bucket, if nothing else gives one."""
    from pyarrow import fs  # noqa: PLC0415 - as above

    told = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")
    if options or any(os.environ.get(name) for name in told):
        return options
    return {"region": fs.resolve_s3_region(bucket)}


def located(text: str) -> File:
    """The file or folder that a text names: a URI, or a path.

    Raises:
        ValueError: it names none; the message says why, and what to write.
    """
    if not text:
        raise ValueError(f"is empty; {_FORMS}")
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        return path_of(text)
    uri = urlsplit(text)
    if uri.fragment or "#" in text or (uri.scheme == "file" and uri.query):
        raise ValueError("contains # or ?, after which all would be lost; write %23 or %3F")
    if uri.scheme == "file":
        if uri.netloc not in ("", "localhost"):
            raise ValueError(f"is on another machine ({uri.netloc}); write file:///folder")
        return Path(unquote(uri.path))
    if uri.scheme != "s3":
        raise ValueError(f"has an unknown scheme, {uri.scheme}://; {_FORMS}")
    return _object(text)


def _object(text: str) -> RemoteFile:
    uri = urlsplit(text)
    if "@" in unquote(text) or "secret" in uri.query:
        raise ValueError(
            "contains a secret, which would be written to the run's record; set "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY on every node, and leave it out"
        )
    if not uri.netloc:
        raise ValueError("names no bucket; write s3://bucket/folder")
    options = tuple(sorted(parse_qsl(uri.query, keep_blank_values=True)))
    keys = [key for key, _ in options]
    twice = [key for key in keys if keys.count(key) > 1]
    if twice:
        raise ValueError(f"has the option {twice[0]} more than once; write it once")
    unknown = [key for key in keys if key not in _OPTIONS]
    if unknown:
        raise ValueError(
            f"has the unknown option {unknown[0]}; write any of {', '.join(_OPTIONS)}"
        )
    return RemoteFile(PurePosixPath(uri.netloc, uri.path.strip("/")), options)
