"""Answers that try to fool the judge instead of doing the task: none of them passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from graded import changed, exercise_named
from parallel_cookbook.practice.grade import Grader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEAD = "from threading import Lock, Thread\n"
VISIT = "        with self.lock:\n            self.visits += 1\n"
INIT = "        self.lock = Lock()\n        self.visits = 0\n"
Change = tuple[str, str]


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader() as grader:
        yield grader


def with_import(line: str) -> Change:
    return HEAD, f"{line}\n{HEAD}"


CHEATS: list[tuple[str, str, list[Change]]] = [
    # --- the result is known, and not worked out
    (
        "hard-coded result",
        "assertion",
        [("self.visits = 0", "self.visits = 2"), (VISIT, "        pass\n")],
    ),
    (
        "result by inspection of nothing",
        "assertion",
        [(VISIT, "        self.visits = 2\n")],
    ),
    (
        "equal to everything",
        "harness-changed",
        [
            (INIT, "        self.visits = Any()\n"),
            (VISIT, "        pass\n"),
            (
                "class VisitorCount",
                "class Any:\n    def __eq__(self, o): return True\n\n\nclass VisitorCount",
            ),
        ],
    ),
    (
        "equal to everything, made by type()",
        "harness-changed",
        [
            (INIT, '        self.visits = type("A", (), {"__e" + "q__": lambda a, b: True})()\n'),
            (VISIT, "        pass\n"),
        ],
    ),
    # --- the promise is not put to the test
    ("main rebound", "harness-changed", [(VISIT, "        global main\n        main = print\n")]),
    (
        "main rebound below",
        "harness-changed",
        [("if __name__", "main = print\n\nif __name__")],
    ),
    ("guard emptied", "harness-changed", [("    main()\n", "    pass\n")]),
    (
        "guard catches",
        "harness-changed",
        [("    main()\n", "    try:\n        main()\n    except AssertionError:\n        pass\n")],
    ),
    ("early exit at import", "harness-changed", [("class Vis", "raise SystemExit\n\n\nclass Vis")]),
    (
        "early exit in the main thread",
        "not-run",
        [("self.visits = 0", "raise SystemExit(0)")],
    ),
    (
        "early exit by a builtin",
        "not-run",
        [("self.visits = 0", "exit(0)")],
    ),
    (
        "early exit by os",
        "harness-changed",
        [with_import("import os"), (VISIT, "        os._exit(0)\n")],
    ),
    (
        "early exit by sys",
        "harness-changed",
        [with_import("import sys"), (VISIT, "        sys.exit()\n")],
    ),
    (
        "assert becomes if",
        "harness-changed",
        [("    assert count.visits == visitors,", "    if count.visits != visitors:\n        0,")],
    ),
    (
        "asserts are left out",
        "harness-changed",
        [("    assert count.visits == visitors,", "    ("), ('counted"\n', 'counted")\n')],
    ),
    # --- the harness is replaced
    (
        "own Thread at the top level",
        "harness-changed",
        [("class VisitorCount", "class Thread:\n    pass\n\n\nclass VisitorCount")],
    ),
    (
        "Thread from elsewhere",
        "harness-changed",
        [
            (
                HEAD,
                "from threading import Lock\nfrom multiprocessing.dummy import Process as Thread\n",
            )
        ],
    ),
    (
        "builtin shadowed",
        "harness-changed",
        [("class Vis", "def range(n):\n    return []\n\n\nclass Vis")],
    ),
    (
        "run_together decorated",
        "harness-changed",
        [("def run_together", "@staticmethod\ndef run_together")],
    ),
    (
        "defaults changed",
        "harness-changed",
        [("visitors: int = 2", "visitors: int = 1")],
    ),
    # --- the judge is reached for
    (
        "Thread.start patched",
        "harness-changed",
        [("self.visits = 0", "self.visits = 0\n        Thread.start = Thread.run")],
    ),
    (
        "Thread.start patched through an alias",
        "exception",
        [("self.visits = 0", "self.visits = 0\n        T = Thread\n        T.start = T.run")],
    ),
    (
        "Thread.start and join patched through an alias",
        "not-concurrent",
        [
            (
                "self.visits = 0",
                "self.visits = 0\n        T = Thread\n        T.start = T.run\n        T.join = T.getName",
            )
        ],
    ),
    (
        "Thread.start patched with setattr",
        "harness-changed",
        [("self.visits = 0", 'self.visits = 0\n        setattr(Thread, "start", Thread.run)')],
    ),
    (
        "Thread.start patched with a name put together",
        "harness-changed",
        [("self.visits = 0", 'self.visits = 0\n        setattr(Thread, "sta" + "rt", Thread.run)')],
    ),
    (
        "module patched",
        "harness-changed",
        [with_import("import threading"), (VISIT, "        threading.Thread = None\n")],
    ),
    (
        "globals",
        "harness-changed",
        [(VISIT, '        globals()["main"] = print\n')],
    ),
    (
        "function's globals",
        "harness-changed",
        [(VISIT, '        run_together.__globals__["main"] = print\n')],
    ),
    (
        "defaults of main",
        "harness-changed",
        [("self.visits = 0", "self.visits = 0\n        main.__defaults__ = (0,)")],
    ),
    ("code of main", "harness-changed", [(VISIT, "        main.__code__ = print.__code__\n")]),
    (
        "sys through another module",
        "harness-changed",
        [with_import("import contextlib"), (VISIT, "        contextlib.sys.modules.clear()\n")],
    ),
    (
        "sys imported from another module",
        "harness-changed",
        [with_import("from contextlib import sys"), (VISIT, "        sys.modules.clear()\n")],
    ),
    ("__import__", "harness-changed", [(VISIT, '        __import__("o" + "s")._exit(0)\n')]),
    ("eval", "harness-changed", [(VISIT, '        eval("1")\n')]),
    (
        "exec under another name",
        "harness-changed",
        [(VISIT, "        run = exec\n        run('')\n")],
    ),
    ("builtins", "harness-changed", [(VISIT, '        __builtins__["print"] = None\n')]),
    (
        "subclasses",
        "harness-changed",
        [(VISIT, "        ().__class__.__base__.__subclasses__()\n")],
    ),
    (
        "a frame",
        "harness-changed",
        [(VISIT, "        (lambda: (yield))().gi_frame.f_back.f_globals.clear()\n")],
    ),
    (
        "an exception's traceback",
        "harness-changed",
        [
            (
                VISIT,
                "        try:\n            1 / 0\n        except OSError as e:\n            e.__cause__\n",
            )
        ],
    ),
    (
        "what a lock keeps for itself",
        "harness-changed",
        [(VISIT, "        self.lock._kernel.tasks.clear()\n")],
    ),
    (
        "the project itself",
        "harness-changed",
        [with_import("import parallel_cookbook"), (VISIT, "        pass\n")],
    ),
    (
        "attrgetter",
        "harness-changed",
        [
            with_import("from operator import attrgetter"),
            (VISIT, "        attrgetter('a')(main)\n"),
        ],
    ),
    (
        "a match pattern",
        "harness-changed",
        [
            (
                VISIT,
                "        match main:\n            case object(__globals__=g):\n                g.clear()\n",
            )
        ],
    ),
    (
        "main rebound within an expression",
        "harness-changed",
        [("class VisitorCount", "other = (main := print)\n\n\nclass VisitorCount")],
    ),
    (
        "main rebound in a default",
        "harness-changed",
        [
            ("def __init__(self)", "def __init__(self, a=(run_together := print))"),
            (VISIT, "        pass\n"),
        ],
    ),
    (
        "a function's default that rebinds",
        "harness-changed",
        [("class VisitorCount", "def f(a=(run_together := print)): pass\n\n\nclass VisitorCount")],
    ),
    (
        "a record that stays",
        "harness-changed",
        [
            with_import("import copy"),
            (VISIT, "        copy.dispatch_table[len(copy.dispatch_table)] = 1\n"),
        ],
    ),
    (
        "a metaclass",
        "harness-changed",
        [("class VisitorCount:", "class VisitorCount(metaclass=type):")],
    ),
]


@pytest.mark.parametrize(
    ("kind", "changes"), [pytest.param(*cheat[1:], id=cheat[0]) for cheat in CHEATS]
)
def test_a_cheat_is_rejected(
    grader: Grader, tmp_path: Path, kind: str, changes: list[Change]
) -> None:
    """Each is a right answer to the first exercise, and then more, or less."""
    grade = grader.grade(*changed("threads/visitor_count", tmp_path, changes))
    assert (grade.verdict, grade.kind) == ("fail", kind), grade


OTHER_CHEATS: list[tuple[str, str, str, list[Change]]] = [
    (
        "threads/photo_buffer",
        "the kept method is hidden by an attribute",
        "harness-changed",
        [
            (
                "        with self.lock:\n            self.not_empty",
                "        self.put = print\n        with self.lock:\n            self.not_empty",
            )
        ],
    ),
    (
        "threads/philosophers",
        "catches the harness's assertion",
        "assertion",
        [
            (
                "    with first.lock, second.lock:\n        eat(left, right)\n",
                "    try:\n        eat(left, right)\n    except AssertionError:\n        pass\n",
            )
        ],
    ),
    (
        "threads/philosophers",
        "nobody eats, and the meals are known",
        "not-run",
        [("        eat(left, right)\n", "        left.meals = right.meals = 2\n")],
    ),
    (
        "threads/one_connection",
        "calls main by itself",
        "harness-changed",
        [("    global _connection\n", "    global _connection\n    main(0)\n")],
    ),
    (
        "threads/one_connection",
        "takes away the record of what was opened",
        "harness-changed",
        [("    global _connection\n", "    global _connection\n    del opened[1:]\n")],
    ),
    (
        "threads/connection_slots",
        "answers without the server",
        "assertion",
        [("self.server.answer(question)", "question()")],
    ),
    (
        "threads/polite_retry",
        "knows the jobs",
        "assertion",
        [
            ("    first.jobs.append(job)", '    first.jobs[:] = ["copy", "scan"]'),
            ("    second.jobs.append(job)", '    second.jobs[:] = ["copy", "scan"]'),
        ],
    ),
    (
        "threads/pulsed_event",
        "knows that two workers get version 2",
        "assertion",
        [("            self.changed.wait_for(lambda: self.version > version)\n", "")],
    ),
    (
        "processes/lambda_in_pool",
        "a pool of threads",
        "not-concurrent",
        [
            (
                "from multiprocessing import get_context",
                "from multiprocessing.pool import ThreadPool",
            ),
            ('get_context("spawn").Pool(2)', "ThreadPool(2)"),
        ],
    ),
    (
        "processes/shared_value",
        "knows the sum",
        "assertion",
        [("            count.value += 1\n", "            count.value = 4\n")],
    ),
    (
        "processes/nested_list",
        "knows the readings",
        "assertion",
        [("    rooms[room].append(reading)\n", "    rooms[room] = [19, 21]\n")],
    ),
    (
        "synchronisation/fork_with_lock",
        "only something that looks like a process",
        "not-run",
        [
            (
                "def start() -> BaseProcess:",
                "class Idle:\n    exitcode = 0\n    def join(self): pass\n\n\ndef start() -> BaseProcess:",
            ),
            ("    process.start()\n    return process\n", "    return Idle()\n"),
        ],
    ),
    (
        "processes/unguarded_main",
        "never calls main",
        "not-run",
        [("    main()\n", "    pass\n")],
    ),
    (
        "processes/unguarded_main",
        "catches what main raises",
        "exception",
        [
            (
                'if __name__ == "__main__":\n    main()\n',
                "try:\n    main()\nexcept BaseException:\n    pass\n",
            )
        ],
    ),
    (
        "processes/unguarded_main",
        "calls main twice",
        "not-run",
        [("    main()\n", "    main()\n    main()\n")],
    ),
]


def test_a_learners_file_beside_the_answer_stands_for_no_module(
    grader: Grader, tmp_path: Path
) -> None:
    """A `threading.py` or `collections.py` in the same folder is not imported."""
    exercise, answer = changed(
        "threads/visitor_count", tmp_path, [(VISIT, "        self.visits += 1\n")]
    )
    for name in ("threading", "collections", "typing", "functools"):
        (tmp_path / f"{name}.py").write_text("class Thread:\n    pass\n")
    grade = grader.grade(exercise, answer)
    assert grade.kind == "assertion", grade


@pytest.mark.parametrize(
    ("name", "kind", "changes"),
    [pytest.param(cheat[0], cheat[2], cheat[3], id=cheat[1]) for cheat in OTHER_CHEATS],
)
def test_a_cheat_in_another_exercise_is_rejected(
    grader: Grader, tmp_path: Path, name: str, kind: str, changes: list[Change]
) -> None:
    """What can be tried depends on what may be changed."""
    grade = grader.grade(*changed(name, tmp_path, changes))
    assert not grade.passed
    assert grade.kind == kind, grade


def test_threads_for_show_are_no_concurrency(grader: Grader, tmp_path: Path) -> None:
    """Two idle threads beside a serial program: the work itself is looked at."""
    exercise, answer = changed("introduction/start_and_join", tmp_path, [])
    source = answer.read_text()
    start = source.index("def rehearse")
    end = source.index("def main")
    answer.write_text(
        source[:start] + "def rehearse(sale: Sale, names: Sequence[str]) -> None:\n"
        "    idle = [Thread(target=sale.door.wait) for _ in names]\n"
        "    for thread in idle:\n        thread.start()\n"
        "    sale.door.set()\n"
        "    for name in names:\n        sale.customer(name)\n"
        "    for thread in idle:\n        thread.join()\n\n\n" + source[end:]
    )
    assert grader.grade(exercise, answer).kind == "not-concurrent"


def test_the_solution_from_which_the_cheats_are_made_passes(grader: Grader, tmp_path: Path) -> None:
    """So each of them is rejected for what it has changed."""
    assert grader.grade(*changed("threads/visitor_count", tmp_path, [])).passed
    assert exercise_named("threads/visitor_count").slug == "visitor_count"
