"""A recorded program does, prints and ends as it would unrecorded."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.content import load_book
from traced import plain, trace

if TYPE_CHECKING:
    from pathlib import Path

PROGRAMS = {
    "arguments and module": """\
import sys
print(sys.argv[1:], __name__, __file__ == sys.argv[0], sys.path[0] in __file__)
print(__spec__, __doc__, __package__, sorted(name for name in globals() if name.isidentifier()))
""",
    "exit code": "import sys\nsys.exit(7)\n",
    "exit message": "raise SystemExit('no more')\n",
    "exception": """\
import queue, threading

def work():
    with threading.Lock():
        queue.Queue().get_nowait()

try:
    work()
except queue.Empty as error:
    raise ValueError("gone wrong") from error
""",
    "exception in a thread": """\
import threading
lock = threading.Lock()
thread = threading.Thread(target=lock.release, name="t")
thread.start()
thread.join()
""",
    "logged exception": """\
import logging, queue, traceback
try:
    queue.Queue().get(timeout=0.001)
except queue.Empty:
    logging.exception("nothing")
    traceback.print_exc()
""",
    "syntax error": "def work(:\n",
    "types": """\
import copy, pickle, threading, weakref
lock, rlock = threading.Lock(), threading.RLock()
print(isinstance(lock, type(threading.Lock())), isinstance(rlock, type(threading.RLock())))
print(type(threading.Condition()).__name__, threading.Thread.start.__qualname__)
for one in (lock, rlock):
    for action in (copy.copy, pickle.dumps):
        try:
            action(one)
        except TypeError as error:
            print(error)
    print(weakref.ref(one)() is one, hasattr(one, "__dict__"))
try:
    lock.release()
except RuntimeError as error:
    print(error)
try:
    rlock.release()
except RuntimeError as error:
    print(error)
for arguments in [(False, 1), (True, -2), ("x", "y")]:
    try:
        lock.acquire(*arguments)
    except (TypeError, ValueError) as error:
        print(error)
print(len(threading.enumerate()), threading.active_count())
""",
    "forked by hand": """\
import os, sys, threading
lock = threading.Lock()
with lock:
    pid = os.fork()
    if not pid:
        os._exit(3)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
pid = os.fork()
if not pid:
    sys.exit(4)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
""",
    "closed files": """\
import os, threading
os.closerange(3, 256)
with open("mine.txt", "w") as first, open("other.txt", "w") as second:
    threads = [threading.Thread(target=print, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
        thread.join()
    first.write("mine")
print(open("mine.txt").read(), repr(open("other.txt").read()))
""",
    "warnings are errors": """\
import warnings
warnings.simplefilter("error")
import os
pid = os.fork()
if not pid:
    os._exit(0)
os.waitpid(pid, 0)
print("no warning")
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_recorded_program_prints_and_ends_as_ever(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same standard output, standard error with its tracebacks, and exit code."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "program.py"
    file.write_text(PROGRAMS[name], encoding="utf-8")
    untraced = plain(file, ["one", "--two"])
    done = trace(file, ["one", "--two"])
    assert done.stdout == untraced.stdout
    assert done.stderr == untraced.stderr
    assert done.code == untraced.returncode


def test_a_signal_ends_a_recorded_program_as_ever(tmp_path: Path) -> None:
    """The exit code tells the signal, and what came before it is there."""
    file = tmp_path / "program.py"
    file.write_text(
        "import os, signal, threading\nwith threading.Lock():\n    os.kill(os.getpid(), signal.SIGKILL)\n",
        encoding="utf-8",
    )
    done = trace(file)
    assert done.code == -9
    assert done.recording.exit_code == -9
    assert [record.kind.name for record in done.recording.records][-1] == "ACQUIRE"
    assert done.recording.tasks[0].ended == -1


RECIPES = [recipe.id for recipe in load_book().recipes]
IN_ANY_ORDER = re.compile(r"\d[\d.,]*\S*|(?<=lost )\S+")


@pytest.mark.parametrize("name", RECIPES)
def test_each_recipe_is_recorded_cleanly(tmp_path: Path, name: str) -> None:
    """It keeps its promise, prints as many lines as ever and no error, and loses no record."""
    recipe = load_book().find(name)
    file = tmp_path / recipe.path.name
    file.write_bytes(recipe.path.read_bytes())
    done = trace(file)
    assert (done.code, done.stderr) == (0, plain(file).stderr)
    assert done.stdout.strip()
    assert done.recording.lost == 0
    assert done.recording.tasks[0].ended > 0
    assert "parallel_cookbook" not in done.stdout
    assert sys.executable not in done.stdout
