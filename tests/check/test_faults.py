"""Faults as choices: a process may be killed before any of its steps, and each such case is a schedule."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.check import Budget, CheckReport, Entry, check_entry, replay_entry
from parallel_cookbook.errors import UsageError
from parallel_cookbook.library import rendered
from parallel_cookbook.report.check import explored, failure_lines

if TYPE_CHECKING:
    from pathlib import Path

LOCKING = """
    from multiprocessing import Lock, Process

    def work(lock):
        with lock:
            print("working")

    if __name__ == "__main__":
        lock = Lock()
        worker = Process(target=work, args=(lock,))
        worker.start()
        worker.join()
        {afterwards}
    """
PUTTING = """
    from multiprocessing import Process, Queue
    from queue import Empty

    def produce(queue):
        queue.put("work")

    if __name__ == "__main__":
        queue = Queue()
        producer = Process(target=produce, args=(queue,))
        producer.start()
        {consume}
        producer.join()
    """
PATIENT = """try:
            print(queue.get(timeout=1))
        except Empty:
            print("nothing")"""


def check(
    folder: Path, source: str, faults: int, strategy: str = "dpor", *, is_found: bool = True
) -> CheckReport:
    """Check a program with faults; each failure must come again when replayed, without further options."""
    file = folder / "program.py"
    file.write_text(textwrap.dedent(source))
    entry = Entry(file)
    budget = Budget(None, 60)
    report = check_entry(
        entry, target="p", strategy=strategy, budget=budget, keep_going=True, faults=faults
    )
    assert is_found is bool(report.failures)
    for failure in report.failures:
        _, found, _ = replay_entry(entry, failure.schedule)
        assert (failure.kind, failure.message) in {(f.kind, f.message) for f in found}
    assert report.exhaustive
    return report


def outcomes(report: CheckReport) -> set[tuple[str, str]]:
    """Return what was printed, and how it ended."""
    return {(one.stdout, one.result) for one in report.outcomes}


def test_a_lock_stays_held_by_a_killed_worker(tmp_path: Path) -> None:
    """Right without faults; with one there is a deadlock, and the report says who was killed where."""
    source = LOCKING.format(afterwards="lock.acquire()")
    assert check(tmp_path, source, 0, is_found=False).verdict == "pass"
    report = check(tmp_path, source, 1)
    (failure,) = report.failures
    assert failure.kind == "deadlock"
    (killed,) = failure.killed
    assert killed.startswith("Process-1 at ")
    assert killed.endswith(("program.py:5", "program.py:6"))
    assert report.faults == 1


def test_a_program_that_does_not_wait_for_ever_copes(tmp_path: Path) -> None:
    """Each of its four endings is found, and none is a failure."""
    source = LOCKING.format(afterwards="print(lock.acquire(timeout=1))")
    report = check(tmp_path, source, 1, is_found=False)
    assert report.verdict == "pass"
    told = {"True\n", "False\n", "working\nTrue\n", "working\nFalse\n"}
    assert {stdout for stdout, _ in outcomes(report)} == told


def test_what_is_put_and_not_fed_is_lost(tmp_path: Path) -> None:
    """A producer may die between put and its feeding: who waits for the object waits for ever."""
    report = check(tmp_path, PUTTING.format(consume="print(queue.get())"), 1)
    assert {failure.kind for failure in report.failures} == {"deadlock"}
    assert {stdout for stdout, _ in outcomes(report)} == {"", "work\n"}


def test_a_consumer_with_a_time_out_copes_with_a_dead_producer(tmp_path: Path) -> None:
    """It gets the object or nothing, and comes to its end."""
    source = PUTTING.format(consume=PATIENT)
    report = check(tmp_path, source, 1, is_found=False)
    assert {stdout for stdout, _ in outcomes(report)} == {"work\n", "nothing\n"}


WAITING = """
    from multiprocessing import Event, Process

    if __name__ == "__main__":
        worker = Process(target=Event().wait)
        worker.start()
        worker.join()
    """


def test_a_fault_does_not_hide_a_deadlock(tmp_path: Path) -> None:
    """Killing who waits for ever would let the others go on; without a fault they are stuck."""
    report = check(tmp_path, WAITING, 1)
    (failure,) = report.failures
    assert (failure.kind, failure.killed) == ("deadlock", ())


TWO = """
    from multiprocessing import Process

    def work(letter):
        print(letter)

    if __name__ == "__main__":
        workers = [Process(target=work, args=(letter,)) for letter in "ab"]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        print([worker.exitcode for worker in workers])
    """


@pytest.mark.parametrize("faults", [1, 2])
def test_no_more_processes_are_killed_than_allowed(tmp_path: Path, faults: int) -> None:
    """With one fault at most one of two workers dies; with two also both."""
    report = check(tmp_path, TWO, faults, is_found=False)
    codes = {stdout.splitlines()[-1] for stdout, _ in outcomes(report)}
    once = {"[0, 0]", "[-9, 0]", "[0, -9]"}
    assert codes == (once if faults == 1 else {*once, "[-9, -9]"})


@pytest.mark.parametrize(
    "source",
    [LOCKING.format(afterwards="lock.acquire()"), PUTTING.format(consume="queue.get()"), WAITING],
)
def test_the_search_finds_what_all_schedules_do(tmp_path: Path, source: str) -> None:
    """DPOR comes to the same outcomes as the execution of every single schedule."""
    assert outcomes(check(tmp_path, source, 1)) == outcomes(check(tmp_path, source, 1, "dfs"))


def test_a_reader_sees_the_end_of_what_a_killed_writer_held(tmp_path: Path) -> None:
    """Its pipe is closed with it, also if it was opened by the process itself."""
    source = """
        from multiprocessing import Pipe, Process

        def work(end):
            end.send("one")

        if __name__ == "__main__":
            here, there = Pipe()
            worker = Process(target=work, args=(there,))
            worker.start()
            there.close()
            try:
                print(here.recv())
            except EOFError:
                print("nothing")
            worker.join()
        """
    report = check(tmp_path, source, 1, is_found=False)
    assert {stdout for stdout, _ in outcomes(report)} == {"one\n", "nothing\n"}


def test_the_report_says_who_was_killed_where(tmp_path: Path) -> None:
    """The text has a row for it and says why that matters; so does what was lost in a queue."""
    source = LOCKING.format(afterwards="lock.acquire()")
    text = told(tmp_path, source)
    assert "killed here" in text
    assert "Process-1 was killed in step" in text
    assert "Process-1 held it (line 5) when it was killed" in text
    text = told(tmp_path, PUTTING.format(consume="queue.get()"))
    assert "1 message for queue was not fed into the pipe yet" in text


def test_a_pass_says_that_processes_were_killed(tmp_path: Path) -> None:
    """So that nobody takes it for the usual one."""
    report = check(tmp_path, LOCKING.format(afterwards="pass"), 1, is_found=False)
    assert "with none and with one process killed at any step" in explored(report)


def told(folder: Path, source: str) -> str:
    """Return the report of the first failure, in one line."""
    (failure, *_) = check(folder, source, 1).failures
    story, _, _ = replay_entry(Entry(folder / "program.py"), failure.schedule)
    lines = rendered(failure_lines(failure, story, str), 200)
    return " ".join(lines.split())


def test_the_number_of_faults_is_checked(tmp_path: Path) -> None:
    """Less than none is a mistake of the caller's."""
    with pytest.raises(UsageError, match="faults is -1"):
        check_entry(Entry(tmp_path / "program.py"), target="p", faults=-1)
