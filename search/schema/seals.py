"""Seals: checksums of lines, documents and files, so that damage is noticed, not read as data.

A line of JSON has a CRC-32 of its own bytes, a JSON document a SHA-256, and any other file a
SHA-256 after its content. All seals are made and checked here. No torch here.
"""

import contextlib
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, NamedTuple, NoReturn

from pydantic_core import from_json

from search.schema.files import replacing
from search.schema.remote import File

SEAL = "crc"  # key in a line
_SHA = "sha256"  # key in a document
_LINE, _LINE_MARK = b',"crc":"%08x"}', b',"crc":"'  # the seal is the last key of a line
_LINE_SIZE = len(_LINE % 0)
_DOCUMENT, _DOCUMENT_MARK = b',\n  "sha256": "%s"\n}', b',\n  "sha256": "'
_DOCUMENT_SIZE = len(_DOCUMENT % hashlib.sha256().hexdigest().encode())
_FILE_MARK = b"\nsha256\n"  # followed by the digest, which ends the file
_FILE_SIZE = len(_FILE_MARK) + hashlib.sha256().digest_size
_CHUNK = 2**20
_WRONG = "its checksum does not fit it"


class SealError(ValueError):
    """Content that is not as it was written; the message says what is wrong with it."""


class Document(NamedTuple):
    """A JSON document that was read.

    Attributes:
        data: its content.
        sealed: whether it has a seal (a wrong one is an error).
    """

    data: Any
    sealed: bool


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


_scan = json.JSONDecoder(parse_constant=_no_number).raw_decode


def decoded(content: bytes) -> Any:
    """Parse a JSON text.

    Raises:
        SealError: it is not one.
    """
    with contextlib.suppress(ValueError):  # refuses lone surrogates; has other error texts
        return from_json(content, allow_inf_nan=False, cache_strings="keys")
    try:
        data, end = _scan(text := content.decode().strip())
    except (ValueError, RecursionError) as error:  # including errors of UTF-8
        raise SealError(str(error)) from error
    if end != len(text):
        raise SealError("more follows its JSON")
    return data


def sealed_line(data: Mapping[str, Any]) -> bytes:
    """An object as one line of JSON without its line break; the seal is its last key.

    Raises:
        ValueError: a number that JSON cannot represent.
    """
    data = {key: value for key, value in data.items() if key != SEAL}
    body = json.dumps(data, separators=(",", ":"), allow_nan=False).encode()[:-1]
    return body + _LINE % zlib.crc32(body)


def check_line(line: bytes, *, required: bool) -> None:
    """Check that a line is as it was written.

    Args:
        line: without its line break.
        required: whether it must have a seal; a seal that is present must always match.

    Raises:
        SealError: it is not.
    """
    if line[-_LINE_SIZE:] == _LINE % zlib.crc32(line[:-_LINE_SIZE]):
        return
    if line[-_LINE_SIZE:].startswith(_LINE_MARK):
        raise SealError(_WRONG)
    if required:
        raise SealError("it ends without its checksum")


def is_torn(rest: bytes) -> bool:
    """Whether the rest after the last line break may be a line torn by a crash.

    It is not if its seal is complete and more follows: then the line break was damaged. Some
    file systems show bytes that did not reach the disk as zeros.
    """
    at = rest.rfind(_LINE_MARK)
    return at < 0 or not rest[at + _LINE_SIZE :].strip(b"\0")


def sealed_document(data: Mapping[str, Any]) -> str:
    """An object as indented JSON; the seal is its last key."""
    data = {key: value for key, value in data.items() if key != _SHA}
    body = json.dumps(data, indent=2)[:-2].encode()
    return (body + _DOCUMENT % _sha256(body)).decode()


def opened_document(content: bytes) -> Document:
    """Read what `sealed_document` wrote, or any other JSON text, which has no seal.

    Raises:
        SealError: it is not JSON, or not as it was sealed.
    """
    tail = content[-_DOCUMENT_SIZE:]
    marked = tail.startswith(_DOCUMENT_MARK)
    if marked and tail != _DOCUMENT % _sha256(content[:-_DOCUMENT_SIZE]):
        raise SealError(_WRONG)
    return Document(decoded(content), marked)


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


class _Digesting:
    """Passes on what is written to a file, and computes its digest."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def write(self, content: Any) -> int:
        self.digest.update(content)
        return self._file.write(content)

    def flush(self) -> None:
        self._file.flush()


def write_file(
    path: File, writer: Callable[[Any], object], *, before: File | None = None
) -> None:
    """Write a sealed file, whole or not at all; the old file stays until then.

    Args:
        path: path of the file; its folder exists.
        writer: writes the content to its argument, which has `write` and `flush`.
        before: where the file now at `path` is moved; None discards it.

    Raises:
        OSError: the disk is full or gone; then nothing has changed.
    """
    with replacing(path, before=before) as file:
        digesting = _Digesting(file)
        writer(digesting)
        file.write(_FILE_MARK + digesting.digest.digest())


@contextmanager
def opened_file(path: File) -> Iterator[IO[bytes]]:
    """Open a file that `write_file` wrote at its start, after checking all of it.

    Raises:
        OSError: it cannot be read.
        SealError: it is not as it was written.
    """
    with path.open("rb") as file:
        left = file.seek(0, 2) - _FILE_SIZE
        file.seek(0)
        digest = hashlib.sha256()
        while left > 0 and (chunk := file.read(min(_CHUNK, left))):
            digest.update(chunk)
            left -= len(chunk)
        if file.read() != _FILE_MARK + digest.digest():
            raise SealError(f"{path}: is damaged ({_WRONG})")
        file.seek(0)
        yield file
