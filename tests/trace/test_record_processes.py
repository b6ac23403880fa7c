"""What goes on between processes is recorded, however they are started, and however they end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.trace.launch import command_for, note_run
from parallel_cookbook.trace.reader import read_recording
from parallel_cookbook.trace.recording import Kind
from parallel_cookbook.trace.states import State
from parallel_cookbook.trace.summary import summarise
from traced import trace

if TYPE_CHECKING:
    from pathlib import Path

METHODS = ["fork", "spawn", "forkserver"]


def program(tmp_path: Path, source: str) -> Path:
    file = tmp_path / "program.py"
    file.write_text(source, encoding="utf-8")
    return file


SHARING = """\
import multiprocessing as mp

def work(lock, tasks, results, bell, gate, counter, end):
    bell.wait()
    gate.wait()
    while (item := tasks.get()) is not None:
        with lock:
            counter.value += 1
        results.put(item * item)
    end.send(b"x" * 100)
    end.recv()

if __name__ == "__main__":
    lock, bell, gate, counter = mp.Lock(), mp.Event(), mp.Barrier(3), mp.Value("i", 0)
    tasks, results = mp.Queue(), mp.SimpleQueue()
    pipes = [mp.Pipe() for _ in range(2)]
    workers = [
        mp.Process(target=work, args=(lock, tasks, results, bell, gate, counter, there), name=f"w{i}")
        for i, (here, there) in enumerate(pipes)
    ]
    for worker in workers:
        worker.start()
    bell.set()
    gate.wait()
    for n in [1, 2, 3, 4, None, None]:
        tasks.put(n)
    for here, _ in pipes:
        here.recv()
        here.send(None)
    for worker in workers:
        worker.join()
    print(sorted(results.get() for _ in range(4)), counter.value)
"""


@pytest.mark.parametrize("method", METHODS)
def test_what_processes_share_is_one_thing(tmp_path: Path, method: str) -> None:
    """With one label, whoever uses it; messages keep their numbers from end to end."""
    done = trace(program(tmp_path, SHARING), method=method)
    assert (done.code, done.stdout) == (0, "[1, 4, 9, 16] 4\n"), done.stderr
    main, *workers = done.recording.processes
    assert [(one.parent, one.method, one.exit_code) for one in workers] == [(0, method, 0)] * 2
    assert sorted(one.name for one in workers) == ["w0", "w1"]
    used = {(done.task(r), r.kind.name, done.label(r)) for r in done.recording.records}
    for name in ("w0", "w1"):
        assert used >= {
            (name, "BEGIN", ""),
            (name, "WAIT", "bell"),
            (name, "BARRIER", "gate"),
            (name, "GET", "tasks"),
            (name, "END", ""),
        }
    assert used >= {("main", "SET", "bell"), ("main", "BARRIER", "gate"), ("main", "PUT", "tasks")}
    assert len(done.of(Kind.ACQUIRE, label="lock")) == 4
    assert (
        len(done.of(Kind.ACQUIRE, label="counter")) == 9
    )  # each += reads and writes; and the print
    for label, sent in (("tasks", 6), ("results", 4)):
        puts = sorted(record.extra for record in done.of(Kind.PUT, label=label))
        gets = sorted(record.extra for record in done.of(Kind.GET, label=label))
        assert puts == gets == list(range(sent))
    sends = [record for record in done.of(Kind.SEND) if done.label(record).startswith("pipes")]
    receives = done.of(Kind.RECEIVE)
    assert {(r.thing, r.extra, r.value) for r in sends} == {
        (r.thing, r.extra, r.value) for r in receives
    }
    assert len(sends) == 4
    assert main.ended > max(one.ended for one in workers) > 0


WORKING = """\
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import Pool
from multiprocessing.pool import ThreadPool

def square(n):
    return n * n

def fail(n):
    raise ValueError(n)

if __name__ == "__main__":
    with Pool(2) as pool:
        assert pool.map(square, range(6), chunksize=2) == [0, 1, 4, 9, 16, 25]
        assert sorted(pool.imap_unordered(square, range(3))) == [0, 1, 4]
        try:
            pool.apply(fail, (1,))
        except ValueError as error:
            print(error)
        pool.close()
        pool.join()
    with ThreadPool(2) as threads:
        assert threads.map(square, range(3), 1) == [0, 1, 4]
    with ThreadPoolExecutor(2) as thread_executor:
        assert [thread_executor.submit(square, n).result() for n in range(3)] == [0, 1, 4]
    with ProcessPoolExecutor(2) as executor:
        assert list(executor.map(square, range(4), chunksize=2)) == [0, 1, 4, 9]
"""


@pytest.mark.parametrize("method", METHODS)
def test_work_is_recorded_from_its_submission_to_its_result(tmp_path: Path, method: str) -> None:
    """Each piece is done once, by a worker, between the two; a failure is told."""
    done = trace(program(tmp_path, WORKING), method=method)
    assert (done.code, done.stdout, done.stderr) == (0, "1\n", "")
    pieces = {"pool": 3 + 3 + 1, "threads": 3, "thread_executor": 3, "executor": 2}
    for label, count in pieces.items():
        submits = {record.extra: record for record in done.of(Kind.SUBMIT, label=label)}
        work = done.of(Kind.WORK, label=label)
        results = done.of(Kind.RESULT, label=label)
        assert len(work) == len({(record.extra, record.value) for record in work}) == count
        assert {record.extra for record in work} == submits.keys() == {r.extra for r in results}
        for record in work:
            assert submits[record.extra].ended <= record.began <= record.ended
            assert done.task(record) != "main"
            source = done.recording.sites[record.site].source
            assert source == ("def square(n):" if record.result else "def fail(n):")
    assert sum(not record.result for record in done.of(Kind.WORK)) == 1


def test_nested_processes_have_their_parents(tmp_path: Path) -> None:
    """A process that a process started."""
    source = """\
import multiprocessing as mp

def inner():
    print("inner", flush=True)
    raise SystemExit(3)

def outer():
    process = mp.Process(target=inner, name="inner")
    process.start()
    process.join()

if __name__ == "__main__":
    process = mp.get_context("spawn").Process(target=outer, name="outer")
    process.start()
    process.join()
"""
    done = trace(program(tmp_path, source))
    _, outer, inner = done.recording.processes
    assert (outer.name, outer.parent, inner.name, inner.parent) == ("outer", 0, "inner", 1)
    assert inner.exit_code == 3
    starts = [(done.task(record), record.value) for record in done.of(Kind.START)]
    tasks = {task.name: task.index for task in done.recording.tasks}
    assert starts == [("main", tasks["outer"]), ("outer", tasks["inner"])]


@pytest.mark.parametrize("method", METHODS)
def test_a_killed_process_loses_nothing_of_what_it_did(tmp_path: Path, method: str) -> None:
    """SIGKILL in the midst of holding a lock, which another then waits for."""
    source = """\
import multiprocessing as mp, os, signal

def die(lock):
    lock.acquire()
    os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    lock = mp.Lock()
    process = mp.Process(target=die, args=(lock,), name="victim")
    process.start()
    process.join()
    print(process.exitcode, lock.acquire(timeout=0.01))
"""
    done = trace(program(tmp_path, source), method=method)
    assert (done.code, done.stdout) == (0, "-9 False\n"), done.stderr
    _, victim = done.recording.processes
    assert (victim.name, victim.exit_code, victim.ended) == ("victim", -signal.SIGKILL, -1)
    (taken, missed) = done.of(Kind.ACQUIRE, label="lock")
    assert (done.task(taken), taken.result) == ("victim", True)
    assert (done.task(missed), missed.result) == ("main", False)


def test_a_recording_can_be_read_while_the_program_runs(tmp_path: Path) -> None:
    """And after all of it has been killed: who waits for what is known."""
    file = program(
        tmp_path,
        """\
import threading

lock = threading.Lock()
lock.acquire()
thread = threading.Thread(target=print, args=("ready",))
thread.start()
thread.join()
lock.acquire()
""",
    )
    note_run(tmp_path, [str(file)])
    command = command_for(tmp_path, str(file))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        while (last := last_of(tmp_path))[:2] != (Kind.ACQUIRE, True):
            pass  # it has not come to the end of the program yet
        process.kill()
    assert last_of(tmp_path) == last == (Kind.ACQUIRE, True, 8)


def test_what_is_read_of_a_running_program_has_its_names(tmp_path: Path) -> None:
    """Each acquire here is on a line of its own, so that its name is written just before it."""
    lines = "".join(f"    with lock: print({n})\n" for n in range(3_000))
    source = f"import threading\nlock = threading.Lock()\ndef work():\n{lines}work()\n"
    file = program(tmp_path, source)
    note_run(tmp_path, [str(file)])
    command = command_for(tmp_path, str(file))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        seen = 0
        while process.poll() is None:
            if list(tmp_path.glob("*.tape")):
                records = read_recording(tmp_path).records
                acquires = [record for record in records if record.kind is Kind.ACQUIRE]
                assert all(record.site >= 0 for record in acquires)
                seen = max(seen, len(acquires))
            process.stdout.read(200)
    assert seen


def last_of(folder: Path) -> tuple[Kind, bool, int]:
    """Return what the last record but for samples tells: its kind, whether it is a request, its line."""
    recording = read_recording(folder)
    passive = (Kind.SAMPLE, Kind.COLLECT)
    last = [record for record in recording.records if record.kind not in passive][-1]
    line = recording.sites[last.site].line if last.site >= 0 else 0
    return last.kind, last.is_request, line


def test_a_fork_while_threads_work_gives_the_child_a_tape_of_its_own(tmp_path: Path) -> None:
    """What the parent's threads do meanwhile is the parent's; the child sees itself alone."""
    source = """\
import os, threading, warnings
warnings.simplefilter("ignore", DeprecationWarning)

lock = threading.Lock()
go_on = True

def work():
    while go_on:
        with lock:
            pass

threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
codes = []
for n in range(5):
    pid = os.fork()
    if not pid:
        own = threading.Lock()
        for _ in range(100):
            with own:
                pass
        os._exit(n)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
go_on = False
for thread in threads:
    thread.join()
print(codes)
"""
    done = trace(program(tmp_path, source))
    assert (done.code, done.stdout) == (0, "[0, 1, 2, 3, 4]\n"), done.stderr
    assert [process.parent for process in done.recording.processes] == [-1, 0, 0, 0, 0, 0]
    children = [task.index for task in done.recording.tasks if task.process > 0]
    assert len(children) == 5
    for child in children:
        records = [record for record in done.recording.records if record.task == child]
        taken = [record for record in records if record.kind == Kind.ACQUIRE]
        assert len(taken) == 100
        assert {done.label(record) for record in taken} <= {
            "own",
            *(f"own #{n}" for n in range(2, 6)),
        }
    assert len(done.of(Kind.FORK)) == 5


ON_A_FULL_DISK = """\
mount -t tmpfs -o size=2560k cookbook "$1"
"$2" "$3" "$1" "" file "$4" ""
echo "code $?" >&2
"$2" - "$1" <<'PYTHON'
import json, pathlib, sys
from parallel_cookbook.trace.reader import read_recording
recording = read_recording(pathlib.Path(sys.argv[1]))
print(json.dumps({"records": len(recording.records), "lost": recording.lost}))
PYTHON
"""


@pytest.mark.skipif(
    shutil.which("unshare") is None or os.geteuid() != 0,
    reason="mounting a small disk needs root and Linux",
)
def test_a_full_disk_costs_records_and_nothing_else(tmp_path: Path) -> None:
    """The program goes on to its end; what had no room is counted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    file = program(
        tmp_path,
        """\
import threading
lock = threading.Lock()
for _ in range(100_000):
    with lock:
        pass
print("done")
""",
    )
    launcher = command_for(disk, "")[1]
    done = subprocess.run(
        ["unshare", "-m", "bash", "-c", ON_A_FULL_DISK, "", disk, sys.executable, launcher, file],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    first, second = done.stdout.splitlines()
    assert (first, done.stderr) == ("done", "code 0\n")
    told = json.loads(second)
    assert 60_000 < told["records"] < 80_000  # two of the disk's two and a half megabytes
    assert 200_000 <= told["records"] + told["lost"] <= 201_000  # and some samples


OUTSIDE = """\
import multiprocessing as mp, select

def wait():
    select.select([], [], [], 0.5)

if __name__ == "__main__":
    wait()
    child = mp.Process(target=wait, name="child")
    child.start()
    child.join()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the system tells no thread's CPU time")
@pytest.mark.parametrize("method", METHODS)
def test_a_main_thread_that_waits_outside_of_python_does_not_run(
    tmp_path: Path, method: str
) -> None:
    """It is looked at when it begins, so that its first wait is told from running, if it has no other."""
    done = trace(program(tmp_path, OUTSIDE), method=method)
    uses = {done.recording.tasks[use.task].name: use for use in summarise(done.recording).tasks}
    for name in (done.recording.tasks[0].name, "child"):
        assert uses[name].spent.get(State.UNKNOWN, 0) > 400_000_000


SLOW_FEEDER = """\
import multiprocessing as mp, select, threading

start = threading.Thread.start

def start_slowly(thread):
    select.select([], [], [], 0.3)
    start(thread)

threading.Thread.start = start_slowly

if __name__ == "__main__":
    queue = mp.{make}
    queue.put(1)
    queue.put(2)
    queue.get(), queue.get()
"""


@pytest.mark.parametrize("make", ["Queue()", "JoinableQueue()", "Queue(5)", "JoinableQueue(5)"])
def test_starting_a_queues_feeder_is_no_waiting_for_room(tmp_path: Path, make: str) -> None:
    """Who puts the first item starts the feeder; into a queue without a limit nobody ever waits to put."""
    done = trace(program(tmp_path, SLOW_FEEDER.format(make=make)))
    summary = summarise(done.recording)
    [use] = summary.queues
    assert (use.put, use.got) == (2, 2)
    assert use.held_up < 300_000_000
    if "5" not in make:
        assert use.held_up == 0
        assert not any(wait.kind == Kind.PUT for waits in summary.waits for wait in waits)
