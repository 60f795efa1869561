"""The cache of decoded images: right, small in memory, whole after any death."""

import contextlib
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from search.images.cache import CachedImages, CacheRequest, build, open_cache, size
from search.images.decoding import decode
from search.images.tree import Files, read_tree
from search.schema.yaml import ConfigError

SIDE = 8
PREAMBLE = """
import sys, time
from pathlib import Path
from search.images.cache import build
from tests.search.images.test_cache import asked, place
root, count, side, workers = Path(sys.argv[1]), *map(int, sys.argv[2:5])
request = asked(root, count, side=side)
def started(advance=lambda done, total: None):
    build(request, workers=workers, place=place, advance=advance)
"""
TELLING = """
def tell(done, total):
    print(done, flush=True)
    if done >= int(sys.argv[5]):
        input()
started(tell)
print('built', flush=True)
"""


def place(key: str) -> str:
    return f"space.yaml:12: data.{key}"


def asked(root: Path, count: int, *, side: int = SIDE, **others: object) -> CacheRequest:
    """Of the first images below root/train/a."""
    names = tuple(f"a/{number:05}.png" for number in range(count))
    files = Files(root / "train", names, np.zeros(count, dtype=np.int64))
    facts = {"keep_pixels": True, "allowed_damaged": 0} | others
    return CacheRequest(files, side, root / "cache", **facts)  # type: ignore[arg-type]


def drawn(root: Path, count: int) -> Path:
    """So many files, of 40 different images."""
    folder = root / "train" / "a"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(count):
        path = folder / f"{number:05}.png"
        if number < 40:
            Image.fromarray(rng.integers(0, 256, (9, 7, 3), dtype=np.uint8)).save(path)
        else:
            path.hardlink_to(folder / f"{number % 40:05}.png")
    return root


def built(request: CacheRequest, *, workers: int = 1) -> tuple[CachedImages, list[int]]:
    """The cache, and what was told of its progress."""
    told: list[int] = []

    def advance(done: int, total: int) -> None:
        assert total == len(request.files.names)
        told.append(done)

    build(request, workers=workers, place=place, advance=advance)
    return open_cache(request), told


def refusal(request: CacheRequest) -> str:
    with pytest.raises(ConfigError) as caught:
        build(request, workers=1, place=place, advance=lambda done, total: None)
    return str(caught.value)


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_cached_is_what_is_decoded(tmp_path: Path, workers: int) -> None:
    request = asked(drawn(tmp_path, 150), 150)
    cached, told = built(request, workers=workers)
    assert told == [0, 64, 128, 150]
    assert cached.pixels is not None
    images = np.stack([decode(tmp_path / "train" / n, SIDE) for n in request.files.names])
    assert np.array_equal(cached.pixels, images)
    assert not cached.pixels.flags.writeable
    flat = images.reshape(150, -1, 3).astype(np.int64)
    assert np.array_equal(cached.sums, np.hstack([flat.sum(1), (flat**2).sum(1)]))
    assert cached.readable.tolist() == list(range(150))
    assert cached.damaged == ()
    assert built(request)[1] == [], "once is enough"


def test_photographs(tmp_path: Path, imagenette: Path) -> None:
    tree = read_tree(imagenette, classes=3, images_per_class=10, place=place)
    cached, _ = built(CacheRequest(tree.train, 96, tmp_path, True, 0))
    assert cached.pixels is not None
    for name, image in zip(tree.train.names, cached.pixels, strict=True):
        assert np.array_equal(image, decode(tree.train.folder / name, 96))


def test_sums_alone_are_the_same_and_small(tmp_path: Path) -> None:
    drawn(tmp_path, 70)
    whole, alone = asked(tmp_path, 70), asked(tmp_path, 70, keep_pixels=False)
    assert size(whole) == 70 * (SIDE**2 * 3 + 48)
    assert size(alone) == 70 * 48
    assert built(alone)[0].pixels is None
    assert np.array_equal(built(alone)[0].sums, built(whole)[0].sums)


def test_another_request_is_another_cache_and_old_ones_stay(tmp_path: Path) -> None:
    drawn(tmp_path, 70)
    requests = [
        asked(tmp_path, 70),
        asked(tmp_path, 69),
        asked(tmp_path, 70, side=9),
        asked(tmp_path, 70, keep_pixels=False),
    ]
    kept: dict[str, bytes] = {}
    for number, request in enumerate(requests, 1):
        _, told = built(request)
        assert told[0] == 0
        now = {str(p): p.read_bytes() for p in (tmp_path / "cache").rglob("*") if p.is_file()}
        assert now | kept == now
        kept = now
        assert len(list((tmp_path / "cache").iterdir())) == number
    for request in requests:
        assert built(request)[1] == []


def test_changed_images_are_decoded_anew(tmp_path: Path) -> None:
    request = asked(drawn(tmp_path, 70), 70)
    before = np.array(built(request)[0].pixels)
    changed = tmp_path / "train" / "a" / "00069.png"
    changed.unlink()
    Image.new("RGB", (9, 9), (1, 2, 3)).save(changed)
    with pytest.raises(
        ConfigError, match=r"not a finished cache of .*train.*; start the study"
    ):
        open_cache(request)
    after, told = built(request)
    assert told == [0, 64, 70]
    assert after.pixels is not None
    assert np.array_equal(after.pixels[:69], before[:69])
    assert (after.pixels[69] == (1, 2, 3)).all()
    changed.unlink()
    with pytest.raises(ConfigError, match=r"data\.root: .*00069\.png cannot be read \(No such"):
        open_cache(request)


def test_damaged_images_are_named_counted_and_skipped(tmp_path: Path) -> None:
    drawn(tmp_path, 150)
    for number in (40, 100):
        path = tmp_path / "train" / "a" / f"{number:05}.png"
        path.unlink()
        path.write_bytes(b"nonsense" * (number == 100))
    cached, _ = built(asked(tmp_path, 150, allowed_damaged=2))
    assert cached.damaged == ("a/00040.png: is empty", "a/00100.png: is not an image")
    assert cached.readable.tolist() == [n for n in range(150) if n not in (40, 100)]
    assert cached.pixels is not None
    assert not cached.pixels[[40, 100]].any()
    assert not cached.sums[[40, 100]].any()
    expected = (
        "space.yaml:12: data.damaged: 1 damaged images are allowed, but 2 of the first 150 in "
        f"{tmp_path}/train are damaged: a/00040.png: is empty; a/00100.png: is not an image; "
        "repair or remove them, or raise data.damaged"
    )
    assert refusal(asked(tmp_path, 150, allowed_damaged=1)) == expected


def test_too_many_damaged_images_end_it_but_the_work_stays(tmp_path: Path) -> None:
    drawn(tmp_path, 700)
    for number in range(64, 71):
        path = tmp_path / "train" / "a" / f"{number:05}.png"
        path.unlink()
        path.write_bytes(b"")
    with pytest.raises(ConfigError) as caught:
        built(asked(tmp_path, 700), workers=2)
    assert "0 damaged images are allowed, but 7 of the first 128 in" in str(caught.value)
    assert "a/00068.png: is empty; and 2 more; repair" in str(caught.value)
    with pytest.raises(ConfigError, match="is not a finished cache"):
        open_cache(asked(tmp_path, 700))
    cached, told = built(asked(tmp_path, 700, allowed_damaged=7))
    assert told[0] == 128
    assert len(cached.damaged) == 7
    assert len(cached.readable) == 693


def test_room_is_looked_for_before_anything_is_written(tmp_path: Path) -> None:
    """No disk holds 40 images of 300 TB."""
    drawn(tmp_path, 40)
    message = refusal(asked(tmp_path, 40, side=10**7))
    assert message.startswith(f"space.yaml:12: data.cache: {tmp_path}/cache has ")
    assert f"B free, the decoded images of {tmp_path}/train take 12000TB; set data" in message
    for remedy in ("data.cache", "data.resize", "fewer images", "storage: decoded"):
        assert remedy in message.partition("; ")[2]
    assert not (tmp_path / "cache").exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    message = refusal(asked(drawn(tmp_path, 3), 3))
    assert "data.cache: " in message
    assert "cannot be written (Not a directory); set data.cache to a folder" in message


def test_a_file_that_vanishes_meanwhile_is_no_damage(tmp_path: Path) -> None:
    request = asked(drawn(tmp_path, 150), 150)

    def advance(done: int, total: int) -> None:
        (tmp_path / "train" / "a" / "00140.png").unlink(missing_ok=True)

    with pytest.raises(ConfigError, match=r"data\.root: .*00140\.png cannot be read \(No such"):
        build(request, workers=1, place=place, advance=advance)


def test_a_killed_decoder_is_told_and_the_work_stays(tmp_path: Path) -> None:
    """As the kernel does where memory runs out."""
    request = asked(drawn(tmp_path, 1300), 1300)

    def advance(done: int, total: int) -> None:
        for process in multiprocessing.active_children() if done == 1088 else ():
            process.kill()

    with pytest.raises(
        ConfigError, match=r"data\.root: a process .* was killed, maybe because"
    ):
        build(request, workers=2, place=place, advance=advance)
    assert built(request)[1][0] >= 1088


def test_a_cache_that_was_copied_by_half_is_made_again(tmp_path: Path) -> None:
    request = asked(drawn(tmp_path, 150), 150)
    built(request)
    (folder,) = (tmp_path / "cache").iterdir()
    whole = contents(folder)
    for file, content in (("pixels.u8", whole["pixels.u8"][:-1]), ("record.json", b"{")):
        (folder / file).write_bytes(content)
        assert built(request)[1] == [0, 64, 128, 150]
        assert contents(folder) == whole


Child = subprocess.Popen[str]


@pytest.fixture
def child() -> Iterator[Callable[..., Child]]:
    started: list[Child] = []

    def start(code: str, *arguments: object) -> Child:
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", PREAMBLE + code, *map(str, arguments)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def wait_for(child: Child, line: str) -> None:
    assert child.stdout is not None
    for told in child.stdout:
        if told == f"{line}\n":
            return
    pytest.fail(f"ended without telling {line}")


def children_of(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def recorded(root: Path) -> int:
    (folder,) = (root / "cache").iterdir()
    return int(json.loads((folder / "record.json").read_text())["done"])


@pytest.mark.parametrize(
    "workers",
    [pytest.param(1, marks=pytest.mark.slow), 2],  # with one, a full disk stops it as late
)
def test_killed_in_the_middle_it_goes_on_from_there(
    tmp_path: Path, child: Callable[..., Child], workers: int
) -> None:
    count = 1500
    drawn(tmp_path, count)
    request = asked(tmp_path, count)
    undisturbed = built(request._replace(folder=tmp_path / "undisturbed"))[0]
    killed = child(TELLING, tmp_path, count, SIDE, workers, 1408)
    wait_for(killed, "1408")
    decoders = children_of(killed.pid)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert recorded(tmp_path) == 1024, "what was told later is not sure to be on the disk"
    cached, told = built(request, workers=workers)
    assert told[0] == 1024
    (one,), (other,) = ((tmp_path / n).iterdir() for n in ("cache", "undisturbed"))
    assert contents(one) == contents(other)
    assert np.array_equal(cached.pixels, undisturbed.pixels)  # type: ignore[arg-type]
    deadline = time.monotonic() + 10
    while any(map(alive, decoders)):
        assert time.monotonic() < deadline, "its processes end with it"
        time.sleep(0.05)


@pytest.mark.slow
def test_killed_again_and_again_at_any_moment(
    tmp_path: Path, child: Callable[..., Child]
) -> None:
    """At whatever it does then: decoding, writing or replacing the record."""
    count, told = 3600, 0
    drawn(tmp_path, count)
    while told < 3300:
        told += 1100
        process = child(TELLING, tmp_path, count, SIDE, 1, count + 1)
        assert process.stdout is not None
        while (line := process.stdout.readline()) and int(line) < told:
            pass
        process.kill()
        process.wait()
        assert recorded(tmp_path) >= told - 1100
    cached, rest = built(asked(tmp_path, count))
    assert rest[0] >= 2048
    assert cached.pixels is not None
    assert np.array_equal(cached.pixels, cached.pixels[np.arange(count) % 40])
    assert np.array_equal(cached.pixels[3], decode(tmp_path / "train/a/00003.png", SIDE))


def test_ctrl_c_loses_nothing(tmp_path: Path, child: Callable[..., Child]) -> None:
    drawn(tmp_path, 300)
    hears = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    code = TELLING.replace(
        "started(tell)", f"{hears}\ntry: started(tell)\nexcept KeyboardInterrupt: exit(3)"
    )  # also where the tests run in the background of a shell, which has them deaf
    process = child(code, tmp_path, 300, SIDE, 2, 128)
    wait_for(process, "128")
    for pid in (*children_of(process.pid), process.pid):  # as a terminal does
        os.kill(pid, signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(20)
    if process.poll() is None:  # one that comes inside a destructor is lost in Python
        os.kill(process.pid, signal.SIGINT)
    assert process.wait(60) == 3
    assert recorded(tmp_path) == 128


def test_a_full_disk_says_so_and_keeps_what_it_took(
    tmp_path: Path, child: Callable[..., Child]
) -> None:
    """A limit on the size of files fails writes as a full disk does, half an image in."""
    drawn(tmp_path, 1600)
    limit = 1500 * SIDE**2 * 3 + 100
    code = f"""
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
try: started()
except ValueError as error: print(type(error).__name__, error)
"""
    printed, _ = child(code, tmp_path, 1600, SIDE, 1).communicate()
    assert printed.startswith("ConfigError space.yaml:12: data.cache: ")
    assert "cannot be written (File too large); set data.cache" in printed
    cached, told = built(asked(tmp_path, 1600))
    assert told[0] == 1024
    assert cached.pixels is not None
    assert np.array_equal(cached.pixels, cached.pixels[np.arange(1600) % 40])


def test_of_two_builders_the_second_waits_and_finds_it_built(
    tmp_path: Path, child: Callable[..., Child]
) -> None:
    """Nothing is left to decode for it: the files are nonsense by then, of equal facts."""
    drawn(tmp_path, 150)
    first = child(TELLING, tmp_path, 150, SIDE, 1, 150)
    wait_for(first, "150")
    second = child(TELLING, tmp_path, 150, SIDE, 1, 151)
    wait_for(second, "0")
    whole = {path: path.read_bytes() for path in (tmp_path / "train" / "a").iterdir()}

    def rewrite(path: Path, content: bytes) -> None:
        facts = path.stat()
        path.write_bytes(content)
        os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))

    for path, content in whole.items():
        rewrite(path, b"?" * len(content))
    assert second.poll() is None
    first.communicate("\n")
    rest, _ = second.communicate()
    assert rest.endswith("150\nbuilt\n")
    assert second.returncode == 0
    for path, content in whole.items():
        rewrite(path, content)
    assert open_cache(asked(tmp_path, 150)).damaged == ()


def test_the_lock_dies_with_its_process(tmp_path: Path, child: Callable[..., Child]) -> None:
    drawn(tmp_path, 1500)
    first = child(TELLING, tmp_path, 1500, SIDE, 2, 1088)
    wait_for(first, "1088")
    second = child(TELLING, tmp_path, 1500, SIDE, 1, 1501)
    wait_for(second, "1024")
    first.kill()
    rest, _ = second.communicate()
    assert rest.endswith("1024\n1088\n1152\n1216\n1280\n1344\n1408\n1472\n1500\nbuilt\n")


@pytest.mark.parametrize(("workers", "slowness"), [(1, 0), (2, 0.04)])
@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_images(
    tmp_path: Path, child: Callable[..., Child], workers: int, slowness: float
) -> None:
    """1,700 more images of 19 KB are 33 MB more; two workers decode faster than is written."""
    drawn(tmp_path, 2000)
    code = f"started(lambda done, total: time.sleep({slowness}))\n"
    code += "print(Path('/proc/self/status').read_text())"
    peaks = []
    for count in (300, 2000):
        printed, _ = child(code, tmp_path, count, 80, workers).communicate()
        (peak,) = (line.split()[1] for line in printed.splitlines() if "VmHWM" in line)
        peaks.append(int(peak) / 1000)
    # The names, and a few chunks of 1.2 MB that happen to be on their way.
    assert peaks[1] - peaks[0] < 10, f"MB at the peak: {peaks}"


def test_images_are_on_the_disk_before_the_record_says_so(
    tmp_path: Path, child: Callable[..., Child]
) -> None:
    """The kernel's list of calls: pixels and sums, then the record, then its place."""
    drawn(tmp_path, 10)
    process = child("input(); started()", tmp_path, 10, SIDE, 1)
    trace = tmp_path / "trace"
    calls = "trace=pwrite64,fsync,rename,renameat,renameat2"
    try:
        strace = subprocess.Popen(
            ["strace", "-y", "-e", calls, "-o", str(trace), "-p", str(process.pid)],
            stderr=subprocess.PIPE,
            text=True,
        )
    except OSError:
        pytest.skip("strace does not run here")
    assert strace.stderr is not None
    if "attached" not in strace.stderr.readline():
        pytest.skip("strace may not look at processes here")
    process.communicate("\n")
    strace.communicate()
    ours = [line for line in trace.read_text().splitlines() if str(tmp_path) in line]
    (folder,) = (tmp_path / "cache").iterdir()
    short = [f"{call.partition('(')[0]} {Path(named(call)).name}" for call in ours]
    assert set(short[:2]) == {"pwrite64 sums.f64", "pwrite64 pixels.u8"}
    assert set(short[2:4]) == {"fsync sums.f64", "fsync pixels.u8"}
    part = short[4].removeprefix("fsync ")
    assert re.fullmatch(r"record\.json\.\w+\.part", part)
    record = [f"fsync {part}", f"rename {part}", f"fsync {folder.name}"]
    assert short[4:] == record


def named(call: str) -> str:
    """The first path of a line of strace."""
    return (
        call.partition('"' if call.startswith("rename") else "<")[2].split('"')[0].split(">")[0]
    )


def test_splits_and_sets_of_equal_names_sizes_and_times_have_caches_of_their_own(
    tmp_path: Path,
) -> None:
    """As of an archive without times: uncompressed images all have one size."""
    levels = {"mnist/train": 10, "mnist/val": 60, "fashion/train": 200, "fashion/val": 250}
    for name, level in levels.items():
        folder = tmp_path / name / "a"
        folder.mkdir(parents=True)
        for number in range(3):
            path = folder / f"{number}.ppm"
            Image.new("RGB", (8, 8), (level + number,) * 3).save(path)
            os.utime(path, (0, 0))
    names = tuple(f"a/{number}.ppm" for number in range(3))
    for name, level in levels.items():
        files = Files(tmp_path / name, names, np.zeros(3, dtype=np.int64))
        request = CacheRequest(files, SIDE, tmp_path / "cache", True, 0, 3)
        pixels = built(request)[0].pixels
        assert pixels is not None
        assert [int(image.mean()) for image in pixels] == [level, level + 1, level + 2]
