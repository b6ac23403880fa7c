"""The grader: what it says of files that are no proper answers, and that it outlives them all."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from graded import changed, exercise_named
from parallel_cookbook.practice import grade as grade_module
from parallel_cookbook.practice.grade import Grader, Progress, grade
from parallel_cookbook.practice.grading import Grading
from parallel_cookbook.run import processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from parallel_cookbook.practice.result import Grade

VISITOR_COUNT = exercise_named("threads/visitor_count")
SOLUTION = VISITOR_COUNT.solution.read_text(encoding="utf-8")
VISIT = "        with self.lock:\n            self.visits += 1\n"
VISIT_LINE = SOLUTION[: SOLUTION.index(VISIT)].count("\n") + 1


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader() as grader:
        yield grader


def graded(grader: Grader, folder: Path, content: str | bytes, max_seconds: float = 20) -> Grade:
    answer = folder / "01_visitor_count.py"
    answer.write_bytes(content.encode() if isinstance(content, str) else content)
    return grader.grade(VISITOR_COUNT, answer, max_seconds=max_seconds)


def with_visit(body: str, imports: str = "") -> str:
    text = SOLUTION.replace(VISIT, "".join(f"        {line}\n" for line in body.split("\n")))
    return text.replace("from threading", f"{imports}\nfrom threading", 1) if imports else text


# --- the text ---------------------------------------------------------------------------------------


def test_a_right_answer_passes_and_says_what_was_proven(grader: Grader, tmp_path: Path) -> None:
    """The claim is the exercise's own, and all interleavings were explored."""
    found = graded(grader, tmp_path, SOLUTION)
    assert found.passed
    assert found.claim == VISITOR_COUNT.must_hold
    assert (found.is_exhaustive, found.executions) == (True, 2)


def test_a_missing_file_is_said_to_be_missing(grader: Grader, tmp_path: Path) -> None:
    """No error is raised: the learner may just be saving it."""
    found = grader.grade(VISITOR_COUNT, tmp_path / "gone.py")
    assert (found.verdict, found.kind) == ("error", "missing-file")
    assert "No such file" in found.message


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (SOLUTION.replace("with self.lock:", "with self.lock"), VISIT_LINE),
        (SOLUTION[: SOLUTION.index("Thread(target") + 8], None),
        (SOLUTION + "\0", 0),
        (SOLUTION.encode() + b"# \xff\n", None),
        (SOLUTION + "x = " + "-" * 100_000 + "1\n", None),
        (SOLUTION + "x = " + "(" * 300 + "1" + ")" * 300 + "\n", None),
        ("#" * 300_000, 0),
    ],
    ids=["colon", "half-written", "null", "latin-1", "minus", "parentheses", "huge"],
)
def test_what_is_no_python_is_told_with_its_line(
    grader: Grader, tmp_path: Path, content: str | bytes, line: int | None
) -> None:
    """Also what breaks the compiler."""
    found = graded(grader, tmp_path, content)
    assert (found.verdict, found.kind) == ("error", "syntax"), found
    assert line is None or found.line == line


def test_an_empty_file_lacks_what_was_to_be_kept(grader: Grader, tmp_path: Path) -> None:
    """That is what editors leave for a moment when they save."""
    found = graded(grader, tmp_path, "")
    assert found.kind == "harness-changed"
    assert "is missing" in found.message


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("import nummpy\n" + SOLUTION, "there is no module `nummpy`"),
        (SOLUTION.replace("Lock", "Lokc"), "cannot import name 'Lokc' from 'threading'"),
    ],
)
def test_an_import_that_is_missing_is_named(
    grader: Grader, tmp_path: Path, content: str, says: str
) -> None:
    """A slip of the finger is no wrong answer."""
    found = graded(grader, tmp_path, content)
    assert (found.verdict, found.kind, found.message) == ("error", "import", says)


# --- what it does -----------------------------------------------------------------------------------

ENDLESS = {
    "empty loop": with_visit("while True:\n    pass"),
    "counting loop": with_visit("n = 0\nwhile True:\n    n += 1"),
    "for loop": with_visit("for _ in iter(int, 1):\n    pass"),
    "prints": with_visit("while True:\n    print('x' * 1000)"),
    "catches everything": with_visit(
        "while True:\n    try:\n        with self.lock:\n            self.visits += 1\n"
        "    except BaseException:\n        pass"
    ),
    "recursion": with_visit("self.visit()"),
    "waits for itself": with_visit("self.lock.acquire()\nself.lock.acquire()"),
    "sleeps": with_visit("time.sleep(10**6)", "import time"),
    "many threads": with_visit("for _ in range(300):\n    Thread(target=print).start()"),
    "memory": with_visit("self.all = bytearray(10**12)"),
}


@pytest.mark.parametrize("content", ENDLESS.values(), ids=ENDLESS.keys())
def test_what_never_comes_to_an_end_is_no_pass(
    grader: Grader, tmp_path: Path, content: str
) -> None:
    """It fails, or is not proven; the grade comes in any case."""
    found = graded(grader, tmp_path, content)
    assert found.verdict in {"fail", "unknown"}, found
    assert found.message


def test_a_loop_that_cannot_be_proven_is_a_budget_hit_and_names_its_line(
    grader: Grader, tmp_path: Path
) -> None:
    """A budget hit is said as such."""
    found = graded(grader, tmp_path, ENDLESS["counting loop"])
    assert (found.verdict, found.kind, found.line) == ("unknown", "budget", VISIT_LINE + 1)


def test_too_many_interleavings_are_a_budget_hit(grader: Grader, tmp_path: Path) -> None:
    """Nothing was found, and that is no proof."""
    body = "for _ in range(9):\n    with self.lock:\n        self.visits += 0\n"
    found = graded(grader, tmp_path, with_visit(f"{body}with self.lock:\n    self.visits += 1"))
    assert (found.verdict, found.kind) == ("unknown", "budget"), found
    assert "proves nothing" in found.message
    assert not found.is_exhaustive


def test_a_call_that_computes_for_ever_is_named(grader: Grader, tmp_path: Path) -> None:
    """As long as the interpreter lets signals through."""
    found = graded(grader, tmp_path, with_visit("n = 9\nn = 10 ** 10 ** n"), max_seconds=30)
    assert (found.verdict, found.kind, found.line) == ("error", "unsupported", VISIT_LINE + 1)


def test_a_call_that_lets_nobody_else_run_is_ended_from_outside(
    grader: Grader, tmp_path: Path
) -> None:
    """The line is known even then, and the next answer is graded as if nothing had been."""
    found = graded(grader, tmp_path, with_visit("sum(iter(int, 1))"), max_seconds=30)
    assert (found.verdict, found.kind, found.line) == ("error", "unsupported", VISIT_LINE)
    assert graded(grader, tmp_path, SOLUTION).passed


@pytest.mark.parametrize("end", ["SIGKILL", "SIGSEGV"])
def test_an_answer_that_ends_its_process_gets_a_grade(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, end: str
) -> None:
    """The process that grades is killed while it grades."""
    pids: list[int] = []
    recorded = grade_module._One._heard

    def heard(one: grade_module._One, pid: int) -> None:
        recorded(one, pid)
        pids.append(one._pid)
        os.kill(one._pid, signal.Signals[end])

    monkeypatch.setattr(grade_module._One, "_heard", heard)
    answer = tmp_path / "01_visitor_count.py"
    answer.write_text(SOLUTION)
    with Grader() as grader:
        found = grader.grade(VISITOR_COUNT, answer)
        assert found.verdict == "error"
        assert found.kind == "unsupported"
        monkeypatch.undo()
        assert grader.grade(VISITOR_COUNT, answer).passed
    assert pids


def test_a_judge_that_fails_says_so_and_shows_no_traceback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A mistake of ours is no verdict on the answer."""

    def broken(_grading: Grading) -> None:
        raise KeyError("a mistake of ours")

    monkeypatch.setattr(Grading, "_read", broken)
    grading = Grading(VISITOR_COUNT, tmp_path / "any.py", 20, "")
    with pytest.raises(KeyError) as raised:
        grading.grade()
    found = grading.given_up(raised.value)
    assert (found.verdict, found.kind) == ("error", "unsupported")
    assert "a mistake of ours" in found.message


def test_a_grader_whose_process_is_gone_starts_another(tmp_path: Path) -> None:
    """Whoever has killed it."""
    answer = tmp_path / "01_visitor_count.py"
    answer.write_text(SOLUTION)
    with Grader() as grader:
        assert grader._process is not None
        grader._process.kill()
        grader._process.wait()
        assert grader.grade(VISITOR_COUNT, answer).passed


# --- while it grades --------------------------------------------------------------------------------


def test_progress_is_told_while_a_grade_is_waited_for(grader: Grader, tmp_path: Path) -> None:
    """From the first moment on, so that a screen lives."""
    told: list[Progress] = []
    exercise, answer = changed("threads/visitor_count", tmp_path, [])
    grader.grade(exercise, answer, on_progress=told.append)
    assert told
    assert told[0].executions == 0


def test_a_file_that_changes_while_it_is_graded_gets_no_verdict(tmp_path: Path) -> None:
    """Else a right text could be graded, and a wrong one explored."""
    answer = tmp_path / "01_visitor_count.py"
    answer.write_text(SOLUTION)

    def save(_is_watching: bool) -> None:
        answer.write_text(VISITOR_COUNT.source)

    found = Grading(VISITOR_COUNT, answer, 20, "", on_look=save).grade()
    assert (found.verdict, found.kind) == ("error", "missing-file"), found


def test_what_on_progress_raises_ends_the_grading(grader: Grader, tmp_path: Path) -> None:
    """That is how a session turns to the next version of a file; nothing of the old one goes on."""

    class NewerVersionError(Exception):
        pass

    pids: list[int] = []

    def leave(_progress: Progress) -> None:
        assert grader._process is not None
        pids.append(grader._process.pid)
        raise NewerVersionError

    answer = tmp_path / "01_visitor_count.py"
    answer.write_text(ENDLESS["counting loop"])
    with pytest.raises(NewerVersionError):
        grader.grade(VISITOR_COUNT, answer, on_progress=leave)
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert graded(grader, tmp_path, SOLUTION).passed


@pytest.mark.skipif(
    not processes._PROC.is_dir(), reason="without /proc nobody can look what is left of a run"
)
def test_a_real_run_is_ended_with_its_grading(grader: Grader) -> None:
    """A process that hangs for real, in the middle of the grade: none of it is left."""
    exercise = exercise_named("fork_with_lock")

    class EnoughError(Exception):
        pass

    marks: list[str] = []

    def leave_when_it_runs(_progress: Progress) -> None:
        for mark in marks_of_runs():
            marks.append(mark)
            raise EnoughError

    with pytest.raises(EnoughError):
        grader.grade(exercise, exercise.path, max_seconds=60, on_progress=leave_when_it_runs)
    assert marks
    assert not processes.members(marks[0])


def marks_of_runs() -> list[str]:
    """Return the marks of the runs that a grade of this process has started."""
    ours = f"{os.getpid()}-"
    found = []
    for pid in processes._pids():
        variables = processes._read(pid, "environ").split(b"\0")
        for variable in variables:
            name, _, value = variable.decode(errors="replace").partition("=")
            if name == processes.MARKS:
                found += [mark for mark in value.split(":") if mark.startswith(ours)]
    return found


def test_two_graders_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Two windows, or two threads with a grader each."""
    answer = tmp_path / "01_visitor_count.py"
    answer.write_text(SOLUTION)
    verdicts: list[str] = []

    def work() -> None:
        with Grader() as grader:
            verdicts.append(grader.grade(VISITOR_COUNT, answer).verdict)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verdicts == ["pass", "pass"]


def test_one_grade_needs_no_grader(tmp_path: Path) -> None:
    """The function does it all, and leaves no process."""
    answer = tmp_path / "01_visitor_count.py"
    answer.write_text(VISITOR_COUNT.source)
    found = grade(VISITOR_COUNT, answer)
    assert (found.verdict, found.kind) == ("fail", "assertion")
    assert found.story is not None
    assert found.file == str(answer)
    assert "visits" in answer.read_text().splitlines()[found.line - 1]


def test_a_counterexample_can_be_replayed_by_the_check(tmp_path: Path) -> None:
    """The judge's own calls in the program are no steps: the schedule is that of the plain file."""
    from parallel_cookbook.check import Entry, replay_entry  # noqa: PLC0415 - for this test alone

    answer = tmp_path / "01_visitor_count.py"
    answer.write_text(VISITOR_COUNT.source)
    found = grade(VISITOR_COUNT, answer)
    _, faults, _ = replay_entry(Entry(answer), found.schedule)
    assert [fault.kind for fault in faults] == ["assertion"]
