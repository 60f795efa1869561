"""The lock of a run's folder: one process at a time writes into it, on any host.

On one host the kernel decides at once (`flock` on `.lock`), and releases the lock however the
process ends. Network file systems may apply `flock` to each host separately, so the holder also
names itself in `.holder`, and writes a new number there every few seconds. A process on another
host watches that number by its own clock, so that clocks of two hosts are never compared. If
the number stops changing, the process takes the run over by replacing the file; a holder that
was only asleep finds the new file before it writes again, and stops.
"""

import contextlib
import errno
import fcntl
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self

from search.schema.yaml import ConfigError

_LOCK, _HOLDER = ".lock", ".holder"
_BEAT = 2.0  # seconds between two numbers
_PATIENCE = 30.0  # seconds without a new number after which a holder is presumed dead
# For these another folder is no remedy: a full disk, a limit, a disk that fails.
_TROUBLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ESTALE)
_LOOKS = 4  # checks of another holder's file per interval between its numbers


class LockLostError(OSError):
    """Another host has taken over the run, or its folder is gone."""


class Host(NamedTuple):
    """A kernel, within which `flock` holds.

    Attributes:
        name: host name.
        boot: boot id of its kernel: hosts may share a name, and a restarted host holds no
            locks any more. Empty where the system does not give one.
    """

    name: str
    boot: str

    @classmethod
    def here(cls) -> Self:
        """The host of this process."""
        try:
            boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        except OSError:
            boot = ""
        return cls(socket.gethostname(), boot)


class Claim(NamedTuple):
    """The content of a holder's file.

    Attributes:
        host: on which it runs.
        pid: pid of its process.
        token: a new one each time that the lock is taken.
        beat: the number that grows while the holder lives.
    """

    host: Host
    pid: int
    token: str
    beat: int = 0

    def to_bytes(self) -> bytes:
        """The content of its file; numbers are padded, so that its length never changes."""
        data = {
            "host": self.host.name,
            "boot": self.host.boot,
            "pid": self.pid,
            "token": self.token,
            "beat": f"{self.beat:012}",
        }
        return json.dumps(data).encode() + b"\n"

    @property
    def who(self) -> str:
        """A description of the holder."""
        return f"process {self.pid} on {self.host.name}"

    @classmethod
    def read(cls, content: bytes) -> Self | None:
        """The claim in a file; None where it cannot be read, as while it is being written."""
        try:
            data = json.loads(content)
            host = Host(str(data["host"]), str(data["boot"]))
            return cls(host, int(data["pid"]), str(data["token"]), int(data["beat"]))
        except (KeyError, TypeError, ValueError):
            return None


def locked(folder: Path, *, say: Callable[[str], object] | None = None) -> "Lock":
    """Make the folder of a run, and lock it.

    Args:
        folder: folder of the run.
        say: as for `Lock`.

    Raises:
        ConfigError: it cannot be made or written, or another live process holds its lock.
        OSError: its disk is full or fails.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Lock(folder, say=say)
    except OSError as error:
        if error.errno in _TROUBLE:
            raise
        raise ConfigError(
            f"{folder}: cannot be the folder of a run ({error.strerror}); give another with "
            "--out"
        ) from error


class Lock:
    """Holds the lock of a run's folder until `close`.

    Args:
        folder: folder of the run.
        say: called with messages about a holder on another host: watched, or presumed dead.
        beat, patience: seconds between two numbers, and without a new one before a holder is
            presumed dead.

    Raises:
        ConfigError: another live process holds it, with its host and process.
        OSError: the folder cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        *,
        say: Callable[[str], object] | None = None,
        beat: float = _BEAT,
        patience: float = _PATIENCE,
    ) -> None:
        self._folder, self._path = folder, folder / _HOLDER
        self._beat, self._patience = beat, patience
        self._say = say or (lambda _: None)
        self._claim = Claim(Host.here(), os.getpid(), uuid.uuid4().hex)
        self._kernel = _flocked(folder, self._path)
        try:
            self._wait_for_others()
            self._file = self._put()
        except BaseException:
            self._kernel.close()
            raise
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lock of a run", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Make sure that the lock is still ours; to be called before every write.

        Raises:
            LockLostError: it is not, or its folder is gone.
        """
        content = _content(self._path)
        if self._claim.token.encode() in content:
            return
        if not (self._folder / _LOCK).exists():
            raise LockLostError(
                errno.ENOLCK,
                f"was moved or deleted while this process ran in it ({_LOCK} is gone); it "
                "stops and writes nothing more; put it back, and give the same command again",
                str(self._folder),
            )
        there = Claim.read(content)
        whose = there.who if there else "another process"
        raise LockLostError(
            errno.ENOLCK,
            f"{whose} has taken over this run, because this process did not refresh its lock "
            f"for {self._patience:g} seconds (asleep, or cut off from the disk?); it stops "
            "and writes nothing more; let the other one continue",
            str(self._folder),
        )

    def close(self) -> None:
        """Release the lock."""
        self._closing.set()
        self._thread.join()
        with contextlib.suppress(OSError):
            self.check()
            self._path.unlink()
        with contextlib.suppress(OSError):
            self._file.close()
        self._kernel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _wait_for_others(self) -> None:
        """Return once no process on another host holds the lock."""
        content = _content(self._path)
        there = Claim.read(content)
        if not content or (there and there.host == self._claim.host):
            return  # on this host: flock shows that it has ended
        who = there.who if there else "an unknown process"
        self._say(
            f"{self._folder}: is held by {who}; watching for up to {self._patience:g} s "
            "whether it is still running"
        )
        pause = self._beat / _LOOKS
        end = time.monotonic() + self._patience
        while time.monotonic() < end:
            time.sleep(pause)
            now = _content(self._path)
            if not now:
                return
            if now != content:
                holder = Claim.read(now) or there
                raise ConfigError(
                    f"{self._folder}: is in use by {holder.who if holder else who}, which "
                    f"refreshed its lock less than {max(1.0, 2 * pause):.0f} s ago; wait for "
                    "it, stop it there, or give another folder with --out"
                )
        self._say(
            f"{self._folder}: {who} has not refreshed its lock for {self._patience:g} s; "
            "taking the run over"
        )

    def _put(self) -> IO[bytes]:
        """Atomically replace the holder's file, if any, by ours.

        New numbers go into the open file. Once that file is replaced, nobody reads it, so a
        holder that lost the lock cannot overwrite another's claim.
        """
        part = self._path.with_name(f"{_HOLDER}.{self._claim.token}")
        file = part.open("w+b", buffering=0)
        try:
            file.write(self._claim.to_bytes())
            os.fsync(file.fileno())
            part.replace(self._path)
        except OSError:
            file.close()
            part.unlink(missing_ok=True)
            raise
        return file

    def _keep(self) -> None:
        """Write a new number every few seconds; a failed write is made up for by the next."""
        while not self._closing.wait(self._beat):
            self._claim = self._claim._replace(beat=self._claim.beat + 1)
            with contextlib.suppress(OSError):
                os.pwrite(self._file.fileno(), self._claim.to_bytes(), 0)
                os.fsync(self._file.fileno())


def _content(path: Path) -> bytes:
    """The content of a holder's file; empty where there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _flocked(folder: Path, holder: Path) -> IO[bytes]:
    """The kernel's lock, which is released however the process ends."""
    file = (folder / _LOCK).open("ab+", buffering=0)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        pid = file.read().decode("ascii", "replace").strip()
        file.close()
        # Where flock works across a network, the holder may be on another host.
        there = Claim.read(_content(holder))
        far = there is not None and str(there.pid) == pid and there.host != Host.here()
        where = f" on {there.host.name}" if there is not None and far else ""
        raise ConfigError(
            f"{folder}: is in use by process {pid or 'unknown'}{where}, which is running; wait "
            "for it, stop it, or give another folder with --out"
        ) from error
    try:
        file.truncate(0)
        file.write(str(os.getpid()).encode())
    except OSError:
        file.close()
        raise
    return file
