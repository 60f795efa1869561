"""The lock of a run's folder: one process at a time writes into it, on whatever host.

On one host the kernel decides at once (`flock` on `.lock`), and frees it however a process
ends. File systems of networks may keep that to each host, so the holder also says who it is in
`.holder`, and writes a new number there every few seconds. Whoever comes from another host
watches that number by a clock of its own, so that no two clocks are ever compared. If it stands
still, the run is taken over by another file in that place; a holder that was only asleep finds
that file before it writes again, and stops.
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
_PATIENCE = 30.0  # seconds without a new number after which a holder is given up
_LOOKS = 4  # at another's file while it should write one number


class LockLostError(OSError):
    """Another host has taken the run over."""


class Host(NamedTuple):
    """A kernel, within which `flock` holds.

    Attributes:
        name: as people know it.
        boot: of its kernel: hosts may share a name, and a host that was started again holds
            nothing any more. Empty where the system does not tell.
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
    """What a holder says in its file.

    Attributes:
        host: it runs on.
        pid: of its process.
        token: another for each time that the lock was taken.
        beat: the number that grows while it lives.
    """

    host: Host
    pid: int
    token: str
    beat: int = 0

    def to_bytes(self) -> bytes:
        """As its file has it; numbers of any size take as many bytes, so that it can grow."""
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
        """The holder in words."""
        return f"process {self.pid} on {self.host.name}"

    @classmethod
    def read(cls, content: bytes) -> Self | None:
        """The claim that a file holds; None where it cannot be read, as while it is written."""
        try:
            data = json.loads(content)
            host = Host(str(data["host"]), str(data["boot"]))
            return cls(host, int(data["pid"]), str(data["token"]), int(data["beat"]))
        except (KeyError, TypeError, ValueError):
            return None


class Lock:
    """Holds the lock of a run's folder until `close`.

    Args:
        folder: of the run.
        say: is told in words of a holder on another host that is watched, or given up.
        beat, patience: seconds between two numbers, and without a new one until a holder is
            given up.

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
        """See that the lock is still ours: to be done before every write.

        Raises:
            LockLostError: it is not.
        """
        content = _content(self._path)
        if self._claim.token.encode() in content:
            return
        there = Claim.read(content)
        whose = there.who if there else "another process"
        raise LockLostError(
            errno.ENOLCK,
            f"{whose} has taken this run over, as this process did not refresh its lock for "
            f"{self._patience:g} seconds (asleep, or cut off from the disk?); it stops and "
            "writes nothing any more; let the other one go on",
            str(self._folder),
        )

    def close(self) -> None:
        """Give the lock back."""
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
        """Come back when nobody on another host holds the lock."""
        content = _content(self._path)
        there = Claim.read(content)
        if not content or (there and there.host == self._claim.host):
            return  # of this host: flock says that it has ended
        who = there.who if there else "an unknown process"
        self._say(
            f"{self._folder}: is held by {who}; watching for up to {self._patience:g} s "
            "whether that is still there"
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
        """Put our claim in the place of whatever is there, at one stroke.

        Its numbers are written into the open file: one that was replaced is nobody's, so that
        a holder who lost the lock cannot write over another's claim.
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
        """Write a new number every few seconds; where the disk refuses, the next one counts."""
        while not self._closing.wait(self._beat):
            self._claim = self._claim._replace(beat=self._claim.beat + 1)
            with contextlib.suppress(OSError):
                os.pwrite(self._file.fileno(), self._claim.to_bytes(), 0)
                os.fsync(self._file.fileno())


def _content(path: Path) -> bytes:
    """What a holder's file says; nothing where there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _flocked(folder: Path, holder: Path) -> IO[str]:
    """The kernel's lock; it frees it when the process ends, however it ends."""
    file = (folder / _LOCK).open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        pid = file.read().strip()
        file.close()
        # Where flock holds over a network, the holder may be far away.
        there = Claim.read(_content(holder))
        far = there is not None and str(there.pid) == pid and there.host != Host.here()
        where = f" on {there.host.name}" if there is not None and far else ""
        raise ConfigError(
            f"{folder}: is in use by process {pid or 'unknown'}{where}, which is running; wait "
            "for it, stop it, or give another folder with --out"
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
