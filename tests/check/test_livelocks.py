"""Livelocks of tasks that all do something, and programs that only look like it."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.check import Budget, Entry, check_entry, replay_entry

if TYPE_CHECKING:
    from pathlib import Path

    from parallel_cookbook.check import CheckReport

RUN = "\nfor t in threads: t.start()\nfor t in threads: t.join()\n"
CROSSWISE = "threads = [threading.Thread(target=work, args=p) for p in ((a, b), (b, a))]"
TWO = "threads = [threading.Thread(target=work, args=(me,)) for me in (0, 1)]"

LIVELOCKS = {
    "two who try, while the main task is in the midst of a comprehension": (
        "import threading\na, b = threading.Lock(), threading.Lock()\n"
        "def work(first, second):\n"
        "    while True:\n"
        "        with first:\n"
        "            if second.acquire(blocking=False):\n"
        "                second.release()\n"
        "                return\n" + CROSSWISE + "\n[t.start() for t in threads]\n"
        "[t.join() for t in threads]\nthreads = []\n",
        {4},
    ),
    "two who try the other's lock": (
        "import threading\na, b = threading.Lock(), threading.Lock()\n"
        "def work(first, second):\n"
        "    while True:\n"
        "        with first:\n"
        "            if second.acquire(blocking=False):\n"
        "                second.release()\n"
        "                return\n" + CROSSWISE,
        {4},
    ),
    "two who look whether the other's lock is held, and sleep": (
        "import threading, time\na, b = threading.Lock(), threading.Lock()\n"
        "def work(first, second):\n"
        "    while True:\n"
        "        first.acquire()\n"
        "        if not second.locked():\n"
        "            with second:\n"
        "                first.release()\n"
        "                return\n"
        "        first.release()\n"
        "        time.sleep(0.1)\n" + CROSSWISE,
        {4},
    ),
    "two who say after you": (
        "import threading\nwant = [False, False]\n"
        "def work(me):\n"
        "    want[me] = True\n"
        "    while want[1 - me]:\n"
        "        want[me] = False\n"
        "        want[me] = True\n"
        "    want[me] = False\n" + TWO,
        {5},
    ),
    "three philosophers with a time-out": (
        (
            "import threading\nlocks = [threading.Lock() for _ in range(3)]\n"
            "def work(me):\n"
            "    while True:\n"
            "        with locks[me]:\n"
            "            if locks[(me + 1) % 3].acquire(timeout=0.1):\n"
            "                locks[(me + 1) % 3].release()\n"
            "                return\n"
            "threads = [threading.Thread(target=work, args=(me,)) for me in range(3)]"
        ),
        {4},
    ),
    "consumers who put back what is the other's": (
        "import threading, queue\nitems = queue.Queue()\nitems.put(1)\nitems.put(0)\n"
        "def work(me):\n"
        "    while (item := items.get()) != me:\n"
        "        items.put(item)\n" + TWO,
        {6},
    ),
    "consumers who put back what is nobody's": (
        "import threading, queue\nitems = queue.SimpleQueue()\nitems.put('lost')\n"
        "def work(me):\n"
        "    while True:\n"
        "        item = items.get()\n"
        "        if item == me: return\n"
        "        items.put(item)\n" + TWO,
        {5},
    ),
    "an event that is handed on for ever": (
        "import threading\na, b = threading.Event(), threading.Event()\na.set()\ndone = False\n"
        "def work(mine, yours):\n"
        "    while not done:\n"
        "        mine.wait()\n"
        "        mine.clear()\n"
        "        yours.set()\n" + CROSSWISE,
        {6},
    ),
    "one spoon that each leaves to the other, and says so": (
        "import threading\nlock = threading.Lock()\n"
        "class Spoon: owner = 0\n"
        "def work(me):\n"
        "    while True:\n"
        "        with lock:\n"
        "            if Spoon.owner == me:\n"
        "                print(me, 'after you')\n"
        "                Spoon.owner = 1 - me\n" + TWO,
        {5},
    ),
    "two who wait with effect for what nobody does": (
        (
            "import threading\n"
            "class Flag: go = False\n"
            "class Place: pass\n"
            "def work(mine):\n"
            "    while not Flag.go:\n"
            "        mine.x = 1\n"
            "threads = [threading.Thread(target=work, args=(Place(),)) for _ in range(2)]"
        ),
        {5},
    ),
    "a queue whose tasks are done": (
        "import threading, queue\nitems = queue.Queue()\nitems.put(5)\n"
        "def work(me):\n"
        "    while True:\n"
        "        item = items.get()\n"
        "        items.put(item)\n"
        "        items.task_done()\n" + TWO,
        {5},
    ),
}

RIGHT = {
    "one is polite, the other waits": (
        "import threading\na, b = threading.Lock(), threading.Lock()\n"
        "def polite():\n"
        "    while True:\n"
        "        with a:\n"
        "            if b.acquire(blocking=False):\n"
        "                b.release()\n"
        "                return\n"
        "def blunt():\n"
        "    with b:\n"
        "        with a: pass\n"
        "threads = [threading.Thread(target=f) for f in (polite, blunt)]"
    ),
    "a few tries": (
        "import threading\na, b = threading.Lock(), threading.Lock()\n"
        "def work(first, second):\n"
        "    tries = 0\n"
        "    while tries < 2:\n"
        "        tries += 1\n"
        "        with first:\n"
        "            if second.acquire(blocking=False):\n"
        "                second.release()\n"
        "                return\n" + CROSSWISE
    ),
    "a loop with an effect until the other is done": (
        "import threading\ndone = False\nstate = ''\n"
        "def wait():\n"
        "    global state\n"
        "    while not done:\n"
        "        state = 'waiting'\n"
        "    state = 'served'\n"
        "def serve():\n"
        "    global done\n"
        "    done = True\n"
        "threads = [threading.Thread(target=f) for f in (wait, serve)]"
    ),
    "Dekker's algorithm": (
        "import threading\nwant = [False, False]\nturn = inside = 0\n"
        "def work(me):\n"
        "    global turn, inside\n"
        "    other = 1 - me\n"
        "    want[me] = True\n"
        "    while want[other]:\n"
        "        if turn == other:\n"
        "            want[me] = False\n"
        "            while turn == other: pass\n"
        "            want[me] = True\n"
        "    inside += 1\n"
        "    assert inside == 1\n"
        "    inside -= 1\n"
        "    turn = other\n"
        "    want[me] = False\n" + TWO
    ),
    "what is waited for comes through a lock, seen again in repeated steps": (
        "import threading\nlock = threading.Lock()\ngo = False\nseen = []\n"
        "def wait():\n"
        "    while True:\n"
        "        with lock:\n"
        "            if go: break\n"
        "    seen.append('waited')\n"
        "def work():\n"
        "    global go\n"
        "    seen.append('works')\n"
        "    with lock: go = True\n"
        "threads = [threading.Thread(target=f) for f in (wait, wait, work)]"
    ),
}

UNPROVEN = {
    "two who try, beside an object that hides its state": (
        "import threading, io\na, b = threading.Lock(), threading.Lock()\nfile = io.BytesIO()\n"
        "def work(first, second):\n"
        "    while True:\n"
        "        with first:\n"
        "            if second.acquire(blocking=False):\n"
        "                second.release()\n"
        "                return\n" + CROSSWISE
    ),
    "a random pause": (
        "import threading, random, time\na, b = threading.Lock(), threading.Lock()\n"
        "def work(first, second):\n"
        "    while True:\n"
        "        with first:\n"
        "            if second.acquire(blocking=False):\n"
        "                second.release()\n"
        "                return\n"
        "        time.sleep(random.random())\n" + CROSSWISE
    ),
    "a generator of its own": (
        "import threading, random\na, b = threading.Lock(), threading.Lock()\n"
        "def work(first, second):\n"
        "    dice = random.Random(1)\n"
        "    while True:\n"
        "        with first:\n"
        "            if dice.random() < 0.1 or second.acquire(blocking=False):\n"
        "                return\n" + CROSSWISE
    ),
    "tries that an iterator counts": (
        "import threading, itertools\na, b = threading.Lock(), threading.Lock()\n"
        "def work(first, second):\n"
        "    tries = itertools.count()\n"
        "    while next(tries) < 50:\n"
        "        with first:\n"
        "            if second.acquire(blocking=False):\n"
        "                second.release()\n"
        "                return\n" + CROSSWISE
    ),
    "a deadline": (
        "import threading, time\na, b = threading.Lock(), threading.Lock()\n"
        "def work(first, second):\n"
        "    end = time.monotonic() + 100\n"
        "    while time.monotonic() < end:\n"
        "        with first:\n"
        "            if second.acquire(blocking=False):\n"
        "                second.release()\n"
        "                return\n" + CROSSWISE
    ),
    "a list that grows": (
        "import threading\na, b = threading.Lock(), threading.Lock()\ntries = []\n"
        "def work(first, second):\n"
        "    while len(tries) < 50:\n"
        "        with first:\n"
        "            tries.append(None)\n"
        "            if second.acquire(blocking=False):\n"
        "                second.release()\n"
        "                return\n" + CROSSWISE
    ),
}


def check_source(folder: Path, source: str, **options: object) -> CheckReport:
    file = folder / "program.py"
    file.write_text(dedent(source) + RUN)
    options.setdefault("budget", Budget(max_seconds=20))
    return check_entry(Entry(file), target="program.py", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("strategy", ["auto", "dpor", "random"])
@pytest.mark.parametrize("name", LIVELOCKS)
def test_a_livelock_is_found(name: str, strategy: str, tmp_path: Path) -> None:
    """Soon, by each strategy, with the loop, the tasks, and a finite schedule that leads round it."""
    source, lines = LIVELOCKS[name]
    report = check_source(tmp_path, source, strategy=strategy)
    assert report.verdict == "fail"
    failure = report.failures[0]
    assert failure.kind == "livelock"
    assert int(failure.location.rpartition(":")[2]) in lines
    assert "Thread-1" in failure.message
    assert "Thread-2" in failure.message
    assert report.executions < 100
    story, faults, _ = replay_entry(Entry(tmp_path / "program.py"), failure.schedule)
    assert [(fault.kind, fault.location) for fault in faults] == [("livelock", failure.location)]
    assert len(story.events) < 60


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_program_passes(name: str, tmp_path: Path) -> None:
    """The search comes to its end, although a loop may turn for ever while others are kept waiting."""
    report = check_source(tmp_path, RIGHT[name], strategy="dpor")
    assert (report.verdict, report.failures) == ("pass", [])


@pytest.mark.parametrize("name", UNPROVEN)
def test_what_may_end_is_no_livelock(name: str, tmp_path: Path) -> None:
    """A loop whose state differs from turn to turn, in whatever hidden place, is never accused."""
    budget = Budget(max_seconds=3)
    report = check_source(tmp_path, UNPROVEN[name], budget=budget, max_steps=500)
    assert "livelock" not in {failure.kind for failure in report.failures}


def test_a_failure_behind_an_unfair_round_is_found(tmp_path: Path) -> None:
    """What follows a round that was cut off is explored from where it began."""
    source = """
        import threading
        ready = False
        state = ""
        def wait():
            global state
            while not ready:
                state = "waiting"
            assert state == "waiting"
        def serve():
            global ready
            ready = True
        threads = [threading.Thread(target=wait), threading.Thread(target=serve)]
    """
    report = check_source(tmp_path, dedent(source), strategy="dpor")
    assert (report.verdict, report.failures[0].kind) == ("fail", "assertion")


def test_a_livelock_beside_a_task_that_ends_is_found(tmp_path: Path) -> None:
    """Two go round for ever, whatever a third one does that has nothing to do with them."""
    source, _ = LIVELOCKS["two who try the other's lock"]
    more = "\ndone = []\nthreads.append(threading.Thread(target=done.append, args=(1,)))"
    report = check_source(tmp_path, source + more)
    assert (report.verdict, report.failures[0].kind) == ("fail", "livelock")
