"""What a return code and the text on standard error say about how a program ended."""

from __future__ import annotations

import subprocess
import sys

import pytest

from parallel_cookbook.run.result import judge_exit

THREAD_FAILS = (
    "import sys, threading\nt = threading.Thread(target=lambda: 1/0)\nt.start()\nt.join()\n"
)
CHILD_FAILS = (
    "import multiprocessing as m, sys\n"
    "p = m.get_context('fork').Process(target=lambda: 1/0)\np.start()\np.join()\n"
)
TASK_GROUP = """\
import asyncio
async def fail(): 1 / 0
async def main():
    async with asyncio.TaskGroup() as group:
        group.create_task(fail())
        group.create_task(fail())
asyncio.run(main())
"""
NO_EXCEPTION = "it ended with exit code 1"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("try: 1/0\nexcept Exception as e: raise KeyError('a b') from e", "KeyError: 'a b'"),
        ("class Own(Exception): pass\nraise Own", "Own"),
        ("def f():\nx = 1", "IndentationError: expected an indented block"),
        ("if 1:\n\tx = 1\n        y = 2", "TabError: inconsistent use of tabs"),
        ("raise ExceptionGroup('two', [KeyError(1), KeyError(2)])", "ExceptionGroup: two (2 sub"),
        (TASK_GROUP, "ExceptionGroup: unhandled errors in a TaskGroup (2 sub"),
        ("import atexit, warnings\natexit.register(warnings.warn, 'w')\n1/0", "ZeroDivisionError"),
        (THREAD_FAILS + "raise KeyError(3)", "KeyError: 3"),
        (THREAD_FAILS + "sys.exit('giving up')", NO_EXCEPTION),
        (THREAD_FAILS + "sys.exit(1)", NO_EXCEPTION),
        (CHILD_FAILS + "sys.exit(1)", NO_EXCEPTION),
        (
            "import logging, sys\ntry: 1/0\nexcept Exception: logging.exception('x')\nsys.exit('no')",
            NO_EXCEPTION,
        ),
    ],
)
def test_only_a_traceback_that_ended_the_program_is_taken_for_its_end(
    source: str, message: str
) -> None:
    """Groups and errors of syntax are known; a thread's, a child's or a log's traceback is not it."""
    ended = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=False
    )
    assert judge_exit(ended.returncode, ended.stderr)[1].startswith(message), ended.stderr


@pytest.mark.parametrize(
    "text",
    [
        "Traceback (most recent call last):\n  x\n" * 20_000,
        "x.py:1: Warning: \n" * 50_000 + "x",
        "\n  + Exception Group Traceback (most recent call last):\n" + "  | \n" * 50_000 + "x",
        "\n" * 300_000 + "x",
    ],
    ids=["tracebacks", "warnings", "groups", "nothing"],
)
@pytest.mark.timeout(20)
def test_a_flood_on_standard_error_is_judged_in_no_time(text: str) -> None:
    """The search for a traceback does not go back and forth: that would take minutes."""
    assert judge_exit(1, text)[1] == NO_EXCEPTION
