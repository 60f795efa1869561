"""A replayed study is the study that was trained, in simulated time."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from search.executors.replay import SimulatedClock, run_replay
from search.preparation import open_space, prepare
from search.replay.fitting import fitted
from search.replay.record import RetracedJournal
from search.replay.sources import source_of
from search.replaying import replay
from search.request import Request
from search.run import main
from search.schema.parts import Choice
from search.schema.study_plan import StudyPlan
from search.space.load import load_space
from search.space.resolve import resolve
from search.study import manifest
from search.study.events import Ended, Epoch, Record, Started, Status
from search.study.journal import FILE, JournalError, read
from search.study.study import Study
from tests.search.replay.tables import rows_of, write_table
from tests.search.spaces import DIGITS, TINY, resolved_of, write

ROOT = Path(__file__).parents[3]
SMALL = (
    DIGITS.replace("epochs: 2", "epochs: 3")
    .replace("{sampler: grid", "{sampler: random, trials: 8")
    .replace("validation: 237, train: 200", "validation: 100, train: 100")
)
GRID = TINY.replace("sampler: random, trials: 3", "sampler: grid")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real study: 8 networks, 2 seeds each, 3 epochs of real digits."""
    folder = tmp_path_factory.mktemp("trained")
    space = str(write(folder, SMALL))
    assert main([space, "--inline", "--out", str(folder / "run")]) == 0
    return folder


def of(folder: Path, kind: type) -> list:
    return [record for record in read(folder) if isinstance(record, kind)]


def untimed(record: Record) -> Record:
    """A record without what says when, and what the trial took of the machine."""
    if isinstance(record, Epoch):
        return record
    return replace(record, time=0.0, **({"taken": None} if isinstance(record, Ended) else {}))


def run(space: Path, out: Path, *overrides: str) -> int:
    return main([str(space), "--out", str(out), *(f"--set={one}" for one in overrides)])


def test_a_replayed_study_is_the_study_that_was_trained(trained: Path, tmp_path: Path) -> None:
    """Record by record: the same starts, epochs and ends in the same order, to the bit."""
    real, out = trained / "run", tmp_path / "replayed"
    assert run(trained / "space.yaml", out, f"execution={{replay: {real}}}") == 0
    assert [untimed(one) for one in read(out)] == [untimed(one) for one in read(real)]
    begins, spent = of(out, Started), 0.0
    for started, ended in zip(begins, of(out, Ended), strict=True):
        assert started.time == pytest.approx(spent), "one after another, from second 0 on"
        spent += ended.seconds
        assert ended.time == pytest.approx(spent)
    assert spent == pytest.approx(sum(epoch.seconds for epoch in of(real, Epoch)))


def test_an_early_stopping_stops_in_a_replay_what_it_stops_in_training(
    trained: Path, tmp_path: Path
) -> None:
    overrides = ("scheduler={name: asha, reduction: 2}", "search.seeds=1")
    chosen = [f"--set={one}" for one in overrides]
    really = tmp_path / "really"
    assert main([str(trained / "space.yaml"), *chosen, "--inline", f"--out={really}"]) == 0
    out, real = tmp_path / "replayed", trained / "run"
    assert run(trained / "space.yaml", out, *overrides, f"execution={{replay: {real}}}") == 0
    ends = dict.fromkeys(Status, 0)
    for ended in of(out, Ended):
        ends[ended.status] += 1
    assert ends[Status.PRUNED] > 0
    assert ends[Status.OK] > 0
    there, here = ([untimed(one) for one in read(each)] for each in (really, out))
    # Times differ, and what was stopped early says no device: nobody asked its worker.
    assert [(type(r), r.trial) for r in here] == [(type(r), r.trial) for r in there]
    assert [e.metrics for e in here if isinstance(e, Ended)] == [
        e.metrics for e in there if isinstance(e, Ended)
    ]


def test_four_workers_run_side_by_side(tmp_path: Path) -> None:
    """Seconds of the table are 1, 2, 3 ... for the networks: a schedule to do in the head."""
    plan, survey = resolved_of(tmp_path, GRID)
    rows = rows_of(plan, survey, repeats=1)
    order = list(dict.fromkeys(row["network"] for row in rows))
    for row in rows:
        row["seconds"] = 1 + order.index(row["network"])
    table = write_table(tmp_path / "table.csv", rows)
    replayed = f"execution={{replay: {table}, workers: 4}}"
    assert run(write(tmp_path, GRID), tmp_path / "run", replayed) == 0
    begins = {one.name: one.time for one in of(tmp_path / "run", Started)}
    lasts = {name: 3.0 * (1 + order.index(name)) for name in order}
    free = [0.0] * 4
    for name, begin in begins.items():  # in the order that they started
        assert begin == min(free)
        free[free.index(min(free))] = begin + lasts[name]
    ended = [one.time for one in of(tmp_path / "run", Ended)]
    assert ended == sorted(ended)
    assert max(ended) == max(free)


def paused(folder: Path) -> tuple[StudyPlan, Callable[[Path], Study]]:
    """A study whose scheduler pauses, on 3 workers; and what runs it in a folder."""
    space, document = load_space(write(folder, GRID.replace("epochs: 3", "epochs: 5")))
    plan, survey = resolve(space, document)
    pausing = {"group": 4}
    scheduler = Choice(name="tests.search.schedulers.pausing:Pausing", options=pausing)
    execution = plan.execution.model_copy(update={"workers": 3, "replay": ("made",)})
    plan = plan.model_copy(update={"scheduler": scheduler, "execution": execution})
    table = write_table(folder / "table.csv", rows_of(plan, survey, repeats=1))
    plan, results = fitted([source_of(str(table))], plan, survey, document)

    def run_in(out: Path) -> Study:
        with RetracedJournal(out, before_new=lambda: None) as journal:
            clock = SimulatedClock()
            study = Study(plan, survey, journal, clock=clock)
            run_replay(study, results, clock, asked=lambda: False)
            return study

    return plan, run_in


def test_paused_trials_rest_and_go_on_in_simulated_time(tmp_path: Path) -> None:
    _, run_in = paused(tmp_path)
    study = run_in(tmp_path / "run")
    assert study.finished
    statuses = [one.status for one in of(tmp_path / "run", Ended)]
    assert {*statuses} == {Status.OK, Status.PRUNED}
    whole = [one for one in of(tmp_path / "run", Ended) if one.status is Status.OK]
    begins = {one.trial: one.time for one in of(tmp_path / "run", Started)}
    assert any(one.time > begins[one.trial] + one.seconds + 1e-9 for one in whole), "rested"


def test_wherever_a_replay_is_cut_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    """After any line, and within one: with trials that run side by side, and some that rest."""
    _, run_in = paused(tmp_path)
    run_in(tmp_path / "whole")
    whole = (tmp_path / "whole" / FILE).read_bytes()
    ends = [at for at, byte in enumerate(whole, 1) if byte == ord("\n")]
    for number, end in enumerate([*ends[1::9], *(end - 7 for end in ends[5::40])]):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / FILE).write_bytes(whole[:end])
        run_in(folder)
        assert (folder / FILE).read_bytes() == whole, f"cut after {end} bytes"


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGKILL, -9), pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow)],
)
def test_ended_in_the_middle_the_same_command_ends_with_the_same_record(
    tmp_path: Path, number: int, code: int
) -> None:
    text = TINY.replace("[1, 2, 3]", "{from: 1, to: 8}").replace(
        "{max: 300K, min: 20K}", "{max: 30M}"
    )
    text = text.replace("random, trials: 3", "random, trials: 160").replace(
        "[11, 20]", "[11, 20, 29]"
    )
    plan, survey = resolved_of(tmp_path, text)
    table = write_table(tmp_path / "table.csv", rows_of(plan, survey, repeats=2))
    space = write(tmp_path, text + f"execution: {{replay: {table}, workers: 4}}\n")
    command = [
        sys.executable,
        "-m",
        "search.run",
        str(space),
        "--set",
        "search.seeds=2",
        "--out",
    ]
    journal = tmp_path / "killed" / FILE
    process = subprocess.Popen([*command, journal.parent], cwd=ROOT, stdout=subprocess.DEVNULL)
    while not journal.exists() or journal.stat().st_size < 60_000:
        assert process.poll() is None
        time.sleep(0.001)
    os.kill(process.pid, number)
    assert process.wait() == code
    cut = journal.stat().st_size
    assert run(space, journal.parent, "search.seeds=2") == 0
    assert run(space, tmp_path / "whole", "search.seeds=2") == 0
    whole = (tmp_path / "whole" / FILE).read_bytes()
    assert cut < len(whole), "it was killed before its end"
    assert journal.read_bytes() == whole


def test_what_failed_fails_again(tmp_path: Path) -> None:
    """In the table one trial diverged after an epoch, one before its first."""
    plan, survey = resolved_of(tmp_path, GRID)
    rows = rows_of(plan, survey, repeats=1)
    first, second = list(dict.fromkeys(row["network"] for row in rows))[:2]
    rows = [r for r in rows if r["network"] not in (first, second) or r["epoch"] == 1]
    of_first, of_second = (next(r for r in rows if r["network"] == n) for n in (first, second))
    of_first["status"] = "diverged"
    of_second |= {"epoch": 0, "status": "out-of-memory"}
    for row in rows:
        row["reason"] = "the loss is nan" if row is of_first else ""
    table = write_table(tmp_path / "table.csv", rows)
    assert run(write(tmp_path, GRID), tmp_path / "run", f"execution={{replay: {table}}}") == 0
    started = {one.trial: one.name for one in of(tmp_path / "run", Started)}
    ends = {started[one.trial]: one for one in of(tmp_path / "run", Ended)}
    assert (ends[first].status, ends[first].epochs) == (Status.DIVERGED, 1)
    assert (ends[second].status, ends[second].epochs) == (Status.OUT_OF_MEMORY, 0)
    assert ends[first].reason == "the loss is nan"
    assert not ends[first].metrics
    assert sum(one.status is Status.OK for one in ends.values()) == len(survey) - 2


def test_another_seed_of_the_study_begins_with_another_repeat(tmp_path: Path) -> None:
    """Repeat r of seed s takes the table's repeat (r + s) mod R: here R is 2."""
    plan, survey = resolved_of(tmp_path, GRID)
    rows = rows_of(plan, survey, repeats=2)
    table = write_table(tmp_path / "table.csv", rows)
    last = {
        (r["network"], r["repeat"]): r["val_error"]
        for r in rows
        if r["epoch"] == plan.training.epochs
    }
    for seed in (0, 1, 2):
        out = tmp_path / str(seed)
        overrides = (f"execution={{replay: {table}}}", f"search.seed={seed}", "search.seeds=2")
        assert run(write(tmp_path, GRID), out, *overrides) == 0
        started = {one.trial: one for one in of(out, Started)}
        for ended in of(out, Ended):
            one = started[ended.trial]
            told = last[one.name, (one.repeat + seed) % 2]
            assert ended.metrics["val_error"] == told


def test_a_study_is_extended_where_its_record_stays_true(tmp_path: Path) -> None:
    plan, survey = resolved_of(tmp_path, GRID)
    table = write_table(tmp_path / "table.csv", rows_of(plan, survey))
    space, replayed = write(tmp_path, GRID), f"execution={{replay: {table}}}"
    assert run(space, tmp_path / "run", replayed) == 0
    assert run(space, tmp_path / "run", replayed, "search.seeds=2") == 0
    assert run(space, tmp_path / "at_once", replayed, "search.seeds=2") == 0
    extended, at_once = (tmp_path / name / FILE for name in ("run", "at_once"))
    assert extended.read_bytes() == at_once.read_bytes()


def test_a_study_that_would_have_gone_another_way_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With 8 workers some wait at the end of a search; with more networks they would not."""
    text = TINY.replace("seed: 0", "seed: 0, seeds: 2")
    plan, survey = resolved_of(tmp_path, text)
    table = write_table(tmp_path / "table.csv", rows_of(plan, survey))
    space, replayed = write(tmp_path, text), f"execution={{replay: {table}}}"
    assert run(space, tmp_path / "run", replayed) == 0
    before = (tmp_path / "run" / FILE).read_bytes()
    assert run(space, tmp_path / "run", replayed, "search.trials=5") == 2
    assert "replay it into another folder with --out" in capsys.readouterr().err
    assert (tmp_path / "run" / FILE).read_bytes() == before


def test_the_manifest_says_what_was_replayed_and_another_table_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, survey = resolved_of(tmp_path, GRID)
    rows = rows_of(plan, survey)
    table = write_table(tmp_path / "table.csv", rows)
    space, replayed = write(tmp_path, GRID), f"execution={{replay: {table}}}"
    assert run(space, tmp_path / "run", replayed) == 0
    noted = manifest.read(tmp_path / "run").plan.execution
    assert noted.replay == (str(table),)
    digest = subprocess.run(["sha256sum", table], capture_output=True, text=True, check=True)
    assert [one.digest for one in noted.tables] == [digest.stdout.split()[0]]
    assert "not noted" in noted.tables[0].trained, "nobody says which recipe"
    moved = table.rename(tmp_path / "moved.csv")
    assert run(space, tmp_path / "run", f"execution={{replay: {moved}}}") == 0
    rows[0]["val_error"] += 1
    write_table(moved, rows)
    assert run(space, tmp_path / "run", f"execution={{replay: {moved}}}") == 2
    assert run(space, tmp_path / "run") == 2
    assert capsys.readouterr().err.count("contains a different study") == 2


def test_a_plan_says_that_it_is_a_replay(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real = trained / "run"
    arguments = [f"--set=execution={{replay: {real}, workers: 4}}", "--plan"]
    assert main([str(trained / "space.yaml"), *arguments]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert f"a replay, in simulated time on 4 workers, of {real}" in printed
    assert "16 trials of 8 networks of small" in printed


def test_a_replay_imports_neither_torch_nor_ray(tmp_path: Path) -> None:
    plan, survey = resolved_of(tmp_path, GRID)
    table = write_table(tmp_path / "table.csv", rows_of(plan, survey))
    code = (
        "import sys; from pathlib import Path; from rich.console import Console;"
        "from search.preparation import open_space, prepare;"
        "from search.request import Request;"
        "from search.session import run; space, out = map(Path, sys.argv[1:]);"
        "_, result = run(prepare(open_space(space)), Request(out=out), Console());"
        "print(result.finished, [name for name in ('torch', 'ray') if name in sys.modules])"
    )
    space = write(tmp_path, GRID + f"execution: {{replay: {table}}}\n")
    command = [sys.executable, "-c", code, space, tmp_path / "run"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert printed.stdout.splitlines()[-1] == "True []"


@pytest.mark.parametrize("option", ["--time-limit=5m", "--address=auto", "--retry=failed"])
def test_what_a_replay_has_no_use_for_is_refused(
    trained: Path, tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    replayed = f"--set=execution={{replay: {trained / 'run'}}}"
    out = tmp_path / "run"
    assert main([str(trained / "space.yaml"), replayed, option, f"--out={out}"]) == 2
    assert "leave it out" in capsys.readouterr().err
    assert not out.exists()


def test_damage_to_a_record_is_named_before_it_is_met(tmp_path: Path) -> None:
    _, run_in = paused(tmp_path)
    run_in(tmp_path / "run")
    path = tmp_path / "run" / FILE
    lines = path.read_bytes().splitlines(keepends=True)
    data = json.loads(lines[3])
    lines[3] = lines[3].replace(str(data["trial"]).encode(), b"7", 1)
    path.write_bytes(b"".join(lines))
    with pytest.raises(JournalError, match=r"journal\.jsonl:4: is damaged"):
        run_in(tmp_path / "run")


def test_a_replay_cannot_be_timed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, survey = resolved_of(tmp_path, GRID)
    table = write_table(tmp_path / "table.csv", rows_of(plan, survey))
    replayed = f"--set=execution={{replay: {table}}}"
    assert main([str(write(tmp_path, GRID)), replayed, "--plan", "--measure"]) == 2
    assert "--measure: a replay trains nothing" in capsys.readouterr().err


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    """With a sampler that learns from what ends, in the order of simulated time."""
    plan, survey = resolved_of(tmp_path, GRID)
    table = write_table(tmp_path / "table.csv", rows_of(plan, survey))
    space = write(tmp_path, GRID.replace("sampler: grid", "sampler: tpe, trials: 20"))
    journals = []
    for name in "ab":
        assert run(space, tmp_path / name, f"execution={{replay: {table}, workers: 3}}") == 0
        journals.append((tmp_path / name / FILE).read_bytes())
    assert journals[0] == journals[1]


def warmed(tmp_path: Path) -> tuple[Path, Path, tuple[str, ...]]:
    """A replay that began with another: the space file, that other run, and its settings."""
    plan, survey = resolved_of(tmp_path, GRID)
    table = write_table(tmp_path / "table.csv", rows_of(plan, survey))
    space, other = write(tmp_path, TINY), tmp_path / "other"
    replayed = f"execution={{replay: {table}}}"
    assert run(space, other, replayed) == 0
    begun = f"search={{sampler: tpe, trials: 5, warm_start: [{other}]}}"
    assert run(space, tmp_path / "run", replayed, begun) == 0
    assert run(space, other, replayed, "search.trials=6") == 0  # it has grown meanwhile
    return space, other, (replayed, begun)


@pytest.mark.parametrize("other_is_there", [False, True])
def test_a_replay_that_began_with_another_goes_on_without_it(
    tmp_path: Path, *, other_is_there: bool
) -> None:
    space, other, settings = warmed(tmp_path)
    journal = tmp_path / "run" / FILE
    whole = journal.read_bytes()
    if not other_is_there:
        other.rename(tmp_path / "away")
    for lines in (12, None):  # in the middle, and where nothing is left to run
        journal.write_bytes(b"".join(whole.splitlines(keepends=True)[:lines]))
        assert run(space, journal.parent, *settings) == 0
        assert journal.read_bytes() == whole


@pytest.mark.parametrize(
    ("run_of", "trials", "problem"),
    [
        ("away", 5, ("is not the folder of a run")),
        ("other", 32, "32 is more than the 26 candidates"),
    ],
)
def test_a_replay_that_cannot_begin_with_another_writes_nothing(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    run_of: str,
    trials: int,
    problem: str,
) -> None:
    space, _, (replayed, begun) = warmed(tmp_path)
    begun = begun.replace(str(tmp_path / "other"), str(tmp_path / run_of))
    out = tmp_path / "refused"
    assert run(space, out, replayed, begun, f"search.trials={trials}") == 2
    assert problem in capsys.readouterr().err
    assert not out.exists()


def test_a_replay_that_was_interrupted_does_not_say_that_all_has_ended(tmp_path: Path) -> None:
    """The signal comes with its first new record, the start of another trial."""
    plan, survey = resolved_of(tmp_path, GRID)
    table = write_table(tmp_path / "table.csv", rows_of(plan, survey))
    space, replayed = write(tmp_path, GRID), f"execution={{replay: {table}}}"
    journal = tmp_path / "run" / FILE
    assert run(space, journal.parent, replayed) == 0
    lines = journal.read_bytes().splitlines(keepends=True)
    ends = [number for number, line in enumerate(lines, 1) if b'"event":"end"' in line]
    journal.write_bytes(b"".join(lines[: ends[4]]))
    prepared = prepare(open_space(space, (replayed,)), folder=journal.parent)
    request = Request(out=journal.parent, on_event=lambda _: signal.raise_signal(signal.SIGINT))
    console = Console(file=io.StringIO(), width=200)
    _, result = replay(prepared, prepared.results, request, console)
    said = console.file.getvalue()
    assert (result.finished, len(result.ended)) == (False, 0)
    assert "5 trials had already ended" in said
    assert "nothing to run" not in said
