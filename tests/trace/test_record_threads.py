"""What threads do to locks, conditions and queues is recorded, in the order in which it happened."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from parallel_cookbook.report.trace import summary_lines
from parallel_cookbook.trace.recording import Kind
from parallel_cookbook.trace.summary import summarise
from traced import plain, trace

if TYPE_CHECKING:
    from pathlib import Path

LOGGED = """\
import sys, threading

lock = threading.{type}()
log = []

def work(n):
    for _ in range(n):
        with lock:
            log.append(threading.current_thread().name)

threads = [threading.Thread(target=work, args=(500,), name=f"t{{i}}") for i in range(3)]
sys.setswitchinterval(1e-5)
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(*log)
"""


def program(tmp_path: Path, source: str) -> Path:
    file = tmp_path / "program.py"
    file.write_text(source, encoding="utf-8")
    return file


@pytest.mark.parametrize("kind", ["Lock", "RLock", "Condition", "Semaphore"])
def test_the_order_of_acquires_is_the_one_that_the_program_logs(tmp_path: Path, kind: str) -> None:
    """The program logs under its lock who has it: the records say the same, one for one."""
    done = trace(program(tmp_path, LOGGED.format(type=kind)))
    acquires = done.of(Kind.ACQUIRE)
    assert [done.task(record) for record in acquires] == done.stdout.split()
    assert len(done.of(Kind.RELEASE)) == len(acquires) == 1500
    assert {done.label(record) for record in acquires} == {
        "lock.lock" if kind == "Condition" else "lock"
    }


@pytest.mark.parametrize("kind", ["Lock", "RLock"])
def test_a_lock_is_never_held_twice(tmp_path: Path, kind: str) -> None:
    """By the moments of its records: acquire and release alternate, and are of one task."""
    done = trace(program(tmp_path, LOGGED.format(type=kind)))
    records = done.of(Kind.ACQUIRE, Kind.RELEASE)
    for acquire, release in zip(records[::2], records[1::2], strict=True):
        assert (acquire.kind, release.kind) == (Kind.ACQUIRE, Kind.RELEASE)
        assert acquire.task == release.task
        assert acquire.ended <= release.ended


def test_who_waits_for_a_lock_has_asked_for_it_first(tmp_path: Path) -> None:
    """A request, and a record of what came of it that began at the same moment."""
    source = """\
import threading

lock = threading.Lock()
asked = threading.Event()

def work():
    asked.set()
    with lock:
        pass

with lock:
    thread = threading.Thread(target=work, name="waiter")
    thread.start()
    asked.wait()
    print(lock.acquire(timeout=0.05), lock.acquire(blocking=False))
thread.join()
"""
    done = trace(program(tmp_path, source))
    assert done.stdout == "False False\n"
    requests = [r for r in done.recording.records if r.is_request and r.kind == Kind.ACQUIRE]
    assert {done.task(record) for record in requests} == {"main", "waiter"}
    for request in requests:
        (answer,) = [
            r for r in done.of(Kind.ACQUIRE) if (r.task, r.began) == request[2:3] + (request.began,)
        ]
        assert answer.result == (done.task(answer) == "waiter")
    assert sum(not record.result for record in done.of(Kind.ACQUIRE)) == 2


QUEUES = """\
import queue, threading

q = queue.{type}(3)

def work():
    while (item := q.get()) != (9, "end"):
        print(item[0])

thread = threading.Thread(target=work)
for item in [2, 0, 1]:
    q.put((item, ""))
thread.start()
q.put((9, "end"))
thread.join()
"""


@pytest.mark.parametrize(
    ("kind", "order"),
    [("Queue", [0, 1, 2, 3]), ("PriorityQueue", [1, 2, 0, 3]), ("SimpleQueue", [0, 1, 2, 3])],
)
def test_what_is_got_bears_the_number_of_what_was_put(
    tmp_path: Path, kind: str, order: list[int]
) -> None:
    """In whichever order the queue hands it out."""
    source = QUEUES.format(type=kind)
    if kind == "SimpleQueue":
        source = source.replace("SimpleQueue(3)", "SimpleQueue()")
    done = trace(program(tmp_path, source))
    assert [record.extra for record in done.of(Kind.PUT, label="q")] == [0, 1, 2, 3]
    assert [record.extra for record in done.of(Kind.GET, label="q")] == order


def test_every_kind_of_thing_is_recorded_with_its_line(tmp_path: Path) -> None:
    """Wait, notify, event, barrier, semaphore, sleep, join: with labels from the source."""
    source = """\
import threading, time

class Room:
    def __init__(self):
        self.is_free = threading.Condition()
        self.ready = False

room, bell, gate = Room(), threading.Event(), threading.Barrier(2)
seats = threading.BoundedSemaphore(1)

def work():
    with room.is_free:
        while not room.ready:
            room.is_free.wait()
    bell.wait()
    gate.wait()
    with seats:
        time.sleep(0.001)
    bell.clear()

thread = threading.Thread(target=work, name="guest")
thread.start()
with room.is_free:
    room.ready = True
    room.is_free.notify_all()
bell.set()
gate.wait()
thread.join()
"""
    done = trace(program(tmp_path, source))
    assert done.code == 0, done.stderr
    seen = {(done.task(r), r.kind.name, done.label(r)) for r in done.recording.records}
    assert seen >= {
        ("main", "START", ""),
        ("main", "NOTIFY", "Room.is_free"),
        ("main", "SET", "bell"),
        ("main", "BARRIER", "gate"),
        ("main", "JOIN", ""),
        ("guest", "BEGIN", ""),
        ("guest", "ACQUIRE", "Room.is_free.lock"),
        ("guest", "WAIT", "bell"),
        ("guest", "BARRIER", "gate"),
        ("guest", "ACQUIRE", "seats"),
        ("guest", "RELEASE", "seats"),
        ("guest", "SLEEP", ""),
        ("guest", "CLEAR", "bell"),
        ("guest", "END", ""),
    }
    places = done.recording.sites
    (sleep,) = done.of(Kind.SLEEP)
    assert places[sleep.site].source == "time.sleep(0.001)"
    assert sleep.value == 1_000_000
    assert places[done.of(Kind.NOTIFY)[0].site].source == "room.is_free.notify_all()"


def test_tasks_have_names_parents_and_ends(tmp_path: Path) -> None:
    """Who started whom, who is a daemon, who died of an exception."""
    source = """\
import threading

def inner():
    raise SystemError

def outer():
    thread = threading.Thread(target=inner, name="inner")
    threading.excepthook = lambda arguments: None
    thread.start()
    thread.join()

thread = threading.Thread(target=outer, name="outer", daemon=True)
thread.start()
thread.join()
"""
    done = trace(program(tmp_path, source))
    main, outer, inner = done.recording.tasks
    assert (main.name, main.is_main, main.parent) == ("main", True, -1)
    assert (outer.name, outer.is_daemon, outer.parent) == ("outer", True, main.index)
    assert (inner.name, inner.is_main, inner.parent) == ("inner", False, outer.index)
    assert main.began < outer.began < inner.began < inner.ended < outer.ended < main.ended
    assert [record.value for record in done.of(Kind.END)] == [1, 0, 0]
    assert [record.value for record in done.of(Kind.JOIN)] == [inner.index, outer.index]


def test_hundreds_of_thousands_of_records_are_complete(tmp_path: Path) -> None:
    """More than fit into the room that a tape begins with; each is there, and none is lost."""
    source = """\
import threading

lock = threading.Lock()

def work():
    for _ in range(50_000):
        with lock:
            pass

threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
    done = trace(program(tmp_path, source))
    assert done.code == 0, done.stderr
    assert (len(done.of(Kind.ACQUIRE)), len(done.of(Kind.RELEASE))) == (150_000, 150_000)
    assert done.recording.lost == 0


PATCHING = """\
import threading, time

Real = threading.Lock

class Counted:
    made = 0

    def __init__(self):
        Counted.made += 1
        self.lock = Real()

    def __getattr__(self, name):
        return getattr(self.lock, name)

    def __enter__(self):
        return self.lock.__enter__()

    def __exit__(self, *arguments):
        self.lock.__exit__(*arguments)

threading.Lock = Counted
start = threading.Thread.start
threading.Thread.start = lambda self: (print("starting"), start(self))[1]
time.sleep = lambda seconds: print("slept", seconds)
lock = threading.Lock()

def work():
    with lock:
        time.sleep(1)

thread = threading.Thread(target=work)
thread.start()
thread.join()
threading.Lock = Real
print(Counted.made, isinstance(Real(), type(Real())), threading.Lock is Real)
"""


def test_a_program_that_patches_threading_itself_does_what_it_does(tmp_path: Path) -> None:
    """Its own functions are called, and what they do is recorded."""
    file = program(tmp_path, PATCHING)
    done = trace(file)
    untraced = plain(file)
    assert (done.code, done.stdout, done.stderr) == (0, untraced.stdout, untraced.stderr)
    acquires = done.of(Kind.ACQUIRE)
    assert acquires
    assert all(done.label(record).startswith("Counted.lock") for record in acquires)


def test_a_recording_begins_where_the_program_does(tmp_path: Path) -> None:
    """Moments count from the program's first record; what Python took to start before that is told apart."""
    file = tmp_path / "program.py"
    file.write_text("import threading\nthreading.Lock().acquire()\n", encoding="utf-8")
    made = trace(file).recording
    assert made.tasks[0].began == made.processes[0].began == 0
    assert made.start_up > 0
    assert made.duration == made.records[-1].ended


EXECUTOR = """\
import threading
from concurrent.futures import ThreadPoolExecutor

lock = threading.Lock()
is_asked = threading.Barrier(2)

def hold(_):
    is_asked.wait()
    with lock:
        pass

with ThreadPoolExecutor(2{prefix}) as pool:
    list(pool.map(hold, range(2)))
"""


@pytest.mark.parametrize("prefix", ["", ", thread_name_prefix='crew'"])
def test_an_executors_workers_are_shown_not_hidden_as_helpers(tmp_path: Path, prefix: str) -> None:
    """They run the program's code, by whatever name; each has its row in the table."""
    done = trace(program(tmp_path, EXECUTOR.format(prefix=prefix)))
    assert [task.is_helper for task in done.recording.tasks] == [False] * 3
    console = Console(file=io.StringIO(), width=80, color_system=None)
    console.print(*summary_lines(summarise(done.recording), ""))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "helper" not in text
    assert text.count("crew_" if prefix else "ThreadPoolExecutor-0_") >= 2


def test_what_a_queue_needs_stays_a_helper(tmp_path: Path) -> None:
    """A queue's feeder is the library's own, whatever the program's objects do in it."""
    source = """\
import multiprocessing

class Slow:
    def __reduce__(self):
        sum(range(2_000_000))
        return (int, ())

if __name__ == "__main__":
    queue = multiprocessing.Queue()
    queue.put(Slow())
    queue.get()
"""
    done = trace(program(tmp_path, source))
    assert [task.is_helper for task in done.recording.tasks] == [False, True]


@pytest.mark.parametrize("kind", ["Lock", "RLock"])
def test_threads_do_not_wait_in_turns_because_they_are_recorded(tmp_path: Path, kind: str) -> None:
    """Where the program's own part between acquire and release is nothing, hardly anybody really waits."""
    source = """\
import sys, threading

lock = threading.{kind}()
sys.setswitchinterval(1e-4)

def work():
    for _ in range(10_000):
        with lock:
            pass

threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
    done = trace(program(tmp_path, source.replace("{kind}", kind)))
    acquires = done.of(Kind.ACQUIRE)
    requests = [
        record
        for record in done.recording.records
        if record.kind == Kind.ACQUIRE and record.is_request
    ]
    assert len(acquires) == 20_000
    assert len(requests) < 200


@pytest.mark.parametrize("kind", ["Lock", "RLock"])
def test_a_lock_knows_its_holder_while_the_program_has_it(tmp_path: Path, kind: str) -> None:
    """Who waits for it then must not take it for one that the recorder keeps."""
    source = """\
import threading

lock = threading.{kind}()
condition = threading.Condition(lock)
me = threading.get_ident()
held = lambda: lock._holder == me

assert not held()
with lock:
    print(held())
lock.acquire()
print(held())
lock.release()
assert not held()
lock.acquire(timeout=1)
print(held())
lock.release()
with condition:
    print(held())
    condition.wait(0.01)
    print(held())
    thread = threading.Thread(target=lambda: lock.acquire() and lock.release())
    thread.start()
    condition.wait(0.01)
    print(held())
thread.join()
assert not held()
if "{kind}" == "RLock":
    with lock:
        with lock, condition:
            condition.wait(0.01)
            print(held())
        print(held())
assert not lock._holder and not lock._waiters
"""
    done = trace(program(tmp_path, source.replace("{kind}", kind)))
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.split() == ["True"] * (8 if kind == "RLock" else 6)
