"""A check's report as text: golden files, and what must hold at every width."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

from checked import Checked, check_file
from golden import FOLDER, PROGRAMS, assert_golden
from parallel_cookbook.check import Entry, check_entry, replay_entry

if TYPE_CHECKING:
    from pathlib import Path

checked = functools.cache(check_file)
by_program = pytest.mark.parametrize("file", PROGRAMS, ids=lambda file: file.stem)


def program(name: str) -> Checked:
    return checked(FOLDER / "programs" / f"{name}.py")


def in_one_line(text: str) -> str:
    return " ".join(text.split())


@by_program
def test_the_text_is_the_golden_one(file: Path) -> None:
    """At 80 columns each program's report is what was once looked at and found good."""
    assert_golden(f"{file.stem}.txt", checked(file).text(80))


@by_program
@pytest.mark.parametrize("width", [60, 80, 140])
def test_nothing_is_wider_than_the_terminal_but_what_is_to_be_copied(
    file: Path, width: int
) -> None:
    """In a terminal every line fits, except the replay command, which is never broken."""
    for line in checked(file).text(width, is_terminal=True).splitlines():
        assert cell_len(line) <= width or line.startswith("replay: "), line


@by_program
def test_the_replay_command_stands_on_one_line(file: Path) -> None:
    """Each failure ends with its replay command, whole, however narrow the terminal is."""
    found = checked(file)
    lines = found.text(60, is_terminal=True).splitlines()
    for failure in found.report.failures:
        assert f"replay: {found.replay(failure.schedule)}" in lines


@by_program
def test_a_report_is_the_same_twice(file: Path) -> None:
    """Nothing in a report depends on addresses, hashes or time."""
    assert check_file(file).text(100) == check_file(file).text(100)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("lost_update", "A lost update: Thread-1 (work) read counter = 0 in step 1."),
        ("singleton", "Check, then act: Thread-1 (<lambda>) checked cls._instance = None"),
        ("locked_check_then_act", "lock is held at each of the two, but not from the one to the"),
        ("check_then_pop", "checked jobs = [1] in step 1 (line 7), and acted on it"),
        (
            "deadlock",
            "Thread-1 (forwards) holds a (line 8) and waits for b (line 9), which Thread-2",
        ),
        ("two_locks_two_names", "holds anna.lock (line 11) and waits for ben.lock (line 12)"),
        ("self_deadlock", "waits for self.lock (line 10), which it holds itself (line 14)"),
        ("lost_notify", "the notify came in step 2, before the wait in step 4"),
        ("pulsed_event", "it was set in step 1 and cleared again in step 2, before waiter looked"),
        ("hopeless_loop", "goes round the loop in line 7 for ever"),
        ("guarded_by_half", "line 15 holds no lock and line 11 holds self.lock"),
        (
            "race_without_assert",
            "PASS race_without_assert.py: no assertion fails; but see the warning",
        ),
        ("lost_update", "no lock is ever held there"),
        (
            "two_failures",
            "and then, in the same order: assertion in MainThread (two_failures.py:20): AssertionError",
        ),
        ("full_or_not", "reads len(items) = 0"),
        (
            "full_or_not",
            "Check, then act: Thread-1 (work) checked len(items) = 0 in step 1 (line 9)",
        ),
        ("lock_each", "Each holds a lock of its own, Thread-1 (work) threading.Lock() #1 and"),
        ("lock_each", "each holds a lock of its own: threading.Lock() #1 and threading.Lock() #2"),
        ("two_places", "Both hold places then: it lets in more than one."),
        ("lock_for_one", "Thread-1 (work) holds lock all the while, but Thread-2 (reset) took no"),
        ("process_increment", "A lost update: Process-1 read value.value = 0 in step 1."),
        ("process_increment", "assertion in MainThread (process_increment.py:17)"),
        (
            "join_before_drain",
            "Process-1 cannot exit: 3 messages of its queue are not drained; MainThread waits for Process-1",
        ),
        ("lambda_target", "a function is pickled as its name: a lambda"),
        ("lambda_target", "exception in MainThread (lambda_target.py:7)"),
        ("unguarded_main", "The main module is not guarded: Process-1 executes it"),
        ("unguarded_main", "exception in Process-1 (unguarded_main.py:11)"),
        (
            "process_locks",
            "Process-1 holds anna (line 7) and waits for ben (line 8), which Process-2 holds (line 7)",
        ),
        ("killed_holder", "but Process-1 held it (line 7) when it was killed"),
        ("message_left", "received ← 1"),
        ("inherits_state", "note: the program starts processes by fork; they are checked as spawn"),
        ("inherits_state", "module state that only its parent has set is not there"),
    ],
)
def test_the_reason_is_given_in_words(name: str, sentence: str) -> None:
    """Each kind of mistake is told apart, with the source's own names."""
    assert sentence in in_one_line(program(name).text(80))


def test_one_statement_gets_one_race_warning() -> None:
    """`counter += 1` races with itself in three ways, and is warned of once."""
    assert len(program("lost_update").report.warnings) == 1


def test_outcomes_of_several_lines_are_set_apart() -> None:
    """A blank line stands between them: two lines of one outcome are not taken for two outcomes."""
    text = program("two_lines").text(80)
    table = text.partition("What can come out:\n")[2].splitlines()
    assert [line.split() for line in table] == [
        ["times", "printed"],
        ["1", "left"],
        ["right"],
        [],
        ["1", "right"],
        ["left"],
    ]


def test_a_loop_of_many_turns_floods_no_terminal(tmp_path: Path) -> None:
    """Of what one line did 2,500 times, and of the schedule, beginning and end are shown, with advice."""
    file = tmp_path / "many_turns.py"
    source = (FOLDER / "programs" / "lost_update.py").read_text()
    source = source.replace("    counter += 1", "    for _ in range(9000): counter += 1")
    file.write_text(source.replace("counter == 2", "counter == 18000"))
    report = check_entry(Entry(file), target=file.name, strategy="dpor", max_steps=2500)
    (failure,) = report.failures
    assert failure.kind == "step-limit"
    assert len(failure.schedule) > 2000
    story = replay_entry(Entry(file), failure.schedule, max_steps=2500)[0]
    text = Checked(file, report, {failure.schedule: story}).text(80)
    assert len(text) < 2500
    assert "… and so on, " in text
    assert "check the program with fewer" in text
    assert "--json prints it whole" in in_one_line(text)


def test_many_tasks_become_a_list() -> None:
    """With more tasks than columns have room for, each step stands below its task's name."""
    lines = program("seven_threads").text(80).splitlines()
    assert "              Thread-7 (work):" in lines


def test_outcomes_are_counted_where_all_were_explored() -> None:
    """A program that can print two things gets a table of the two."""
    text = program("two_outcomes").text(80)
    assert "What can come out:" in text


def test_each_message_is_told_once_by_who_sent_and_once_by_who_received_it() -> None:
    """A receiver whom another was quicker than, after it had arrived, does not tell the other's message."""
    story = next(iter(program("messages_crossed").stories.values()))
    told = [
        (story.tasks[event.task], event.detail) for event in story.events if "←" in event.detail
    ]
    assert sorted(told) == [
        ("MainThread", "received ← 'a'"),
        ("MainThread", "received ← 'b'"),
        ("Process-1", "received ← 'a'"),
        ("Process-2", "received ← 'b'"),
    ]
    sent = [event.detail for event in story.events if "→" in event.detail]
    assert sorted(sent) == ["sent → 'a'", "sent → 'a'", "sent → 'b'", "sent → 'b'"]
