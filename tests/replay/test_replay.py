"""A counterexample that one version of Python found replays on each other, and in a changed file.

schedules.json holds what Python 3.11, 3.12 and 3.13 have found in the pitfalls of the chapters on threads and
in the programs of tests/replay/bugs and tests/golden/programs. A changed program needs it renewed, by each
version: `.venv/3.11/bin/python tests/support/replay_book.py`, and so on.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.check import replay_entry
from parallel_cookbook.check.schedule import Replay, decode, encode
from parallel_cookbook.errors import ReplayMismatchError
from replay_book import Failing, Record, failing_programs, find, kept_schedules
from unrelated_lines import lines_above, lines_between, lines_inside

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

VERSIONS = ("3.11", "3.12", "3.13")
KEPT = kept_schedules()
PROGRAMS = [program for program in failing_programs() if program.name in KEPT]
by_program = pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)


def copied(program: Failing, folder: Path, change: Callable[[str], str]) -> Path:
    """Copy a program with what it may import, all of it changed; return the file."""
    before = {
        file.name: file.read_text(encoding="utf-8") for file in program.file.parent.glob("*.py")
    }
    after = {name: change(source) for name, source in before.items()}
    assert before != after
    for name, source in after.items():
        (folder / name).write_text(source, encoding="utf-8")
    return folder / program.file.name


def assert_fails_as_recorded(program: Failing, record: Record, file: Path) -> None:
    _, faults, _ = replay_entry(program.entry(file), record["schedule"])
    found = [(fault.kind, _beginning(fault.message), fault.task) for fault in faults]
    assert (record["kind"], _beginning(record["message"]), record["task"]) in found


def _beginning(message: str) -> str:
    """Return the first words: what follows may be worded otherwise in each release of Python."""
    return " ".join(message.split())[:70]


@pytest.mark.parametrize("version", VERSIONS)
@by_program
def test_what_one_version_found_fails_alike_on_this_one(program: Failing, version: str) -> None:
    """The same kind, message and task, under the schedule that the version found."""
    assert_fails_as_recorded(program, KEPT[program.name][version], program.file)


@pytest.mark.parametrize("change", [lines_above, lines_between, lines_inside])
@by_program
def test_unrelated_lines_do_not_matter(
    program: Failing, change: Callable[[str], str], tmp_path: Path
) -> None:
    """At the top, in the middle, in each function: the schedules of all versions still hold."""
    file = copied(program, tmp_path, change)
    for schedule in {record["schedule"] for record in KEPT[program.name].values()}:
        record = next(r for r in KEPT[program.name].values() if r["schedule"] == schedule)
        assert_fails_as_recorded(program, record, file)


def test_each_version_has_found_each_failure() -> None:
    """Of the three versions, in each program; nothing is kept of programs that are gone."""
    assert {program.name for program in PROGRAMS} == KEPT.keys()
    assert all(set(found) == set(VERSIONS) for found in KEPT.values())
    assert len(KEPT) > 80


@by_program
def test_what_is_kept_is_what_is_found(program: Failing) -> None:
    """This version still finds the failure that is kept of it; its schedule may be another one."""
    version = "{}.{}".format(*sys.version_info)
    found = find(program)
    kept = KEPT[program.name].get(version)
    assert found is not None
    if kept is not None:
        assert found["kind"] == kept["kind"]


def test_all_bugs_and_pitfalls_are_kept() -> None:
    """All that a test calls failing is found to fail; among the others are programs that are right."""
    right = [program.name for program in failing_programs() if program.name not in KEPT]
    assert right == [
        f"tests/golden/programs/{name}.py"
        for name in ("leaked_block", "race_without_assert", "two_lines", "two_outcomes")
    ]


# --- a replay that meets something else -------------------------------------------------------------

TWO_LOCKS = """\
import threading

a, b = threading.Lock(), threading.Lock()
counter = 0


def first():
    with a:
        with b:
            pass


def second():
    with b:
        with a:
            pass


threads = [threading.Thread(target=work) for work in (first, second)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
LOST_UPDATE = """\
import threading

counter = other = 0


def work():
    global counter
    counter += 1


threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert counter == 2
"""
ONE_LOCK = """\
import threading

a, b = threading.Lock(), threading.Lock()
log = []


def work(number, lock):
    with lock:
        log.append(number)


one = threading.Thread(target=lambda: work(1, a))
two = threading.Thread(target=lambda: work(2, a))
one.start(), two.start()
one.join(), two.join()
assert log == [1, 2], log
"""


@functools.cache
def schedule_of(folder: Path, source: str) -> str:
    program = Failing(folder / "program.py")
    program.file.write_text(source)
    found = find(program)
    assert found is not None
    return found["schedule"]


@pytest.mark.parametrize(
    ("source", "old", "new", "complaint"),
    [
        pytest.param(
            TWO_LOCKS,
            "with b:\n        with a:",
            "with a:\n        with b:",
            "is blocked before 'acquire'",
            id="the-fix",
        ),
        pytest.param(
            TWO_LOCKS,
            "    with b:\n        with a:\n            pass",
            "    pass",
            "has ended",
            id="a-task-does-less",
        ),
        pytest.param(
            TWO_LOCKS,
            "(first, second)]",
            "(first,)]",
            "there is no task 2",
            id="a-task-less",
        ),
        pytest.param(
            TWO_LOCKS,
            "        with a:\n            pass\n\n\nthreads",
            "        pass\n\n\nthreads",
            "can go on",
            id="no-longer-blocked",
        ),
        pytest.param(
            TWO_LOCKS,
            "(first, second)]",
            "(first, second)]\nthreads.pop(0)",
            "there is no task 2",
            id="another-task-is-gone",
        ),
        pytest.param(
            LOST_UPDATE,
            "counter += 1",
            "with lock:\n        counter += 1",
            "is about to",
            id="a-lock-more",
        ),
        pytest.param(
            LOST_UPDATE,
            "    counter += 1",
            "    print('before')\n    counter += 1",
            "is about to 'print'",
            id="a-step-more",
        ),
    ],
)
def test_a_changed_program_is_refused(
    source: str, old: str, new: str, complaint: str, tmp_path: Path
) -> None:
    """The message says what the schedule wanted and what there is, and what to do next."""
    schedule = schedule_of(tmp_path, source)
    changed = source.replace("counter = ", "lock = threading.RLock()\ncounter = ", 1)
    assert old in changed
    program = Failing(tmp_path / "program.py")
    program.file.write_text(changed.replace(old, new))
    with pytest.raises(ReplayMismatchError) as raised:
        replay_entry(program.entry(), schedule)
    assert complaint in str(raised.value)
    assert "the program has changed since; check it again" in str(raised.value)


def test_the_same_letters_on_other_things_are_refused(tmp_path: Path) -> None:
    """Where one of two tasks takes another lock than it did, every step looks the same: the seal does not."""
    schedule = schedule_of(tmp_path, ONE_LOCK)
    program = Failing(tmp_path / "program.py")
    program.file.write_text(ONE_LOCK.replace("work(2, a)", "work(2, b)"))
    with pytest.raises(ReplayMismatchError, match="not on the same things"):
        replay_entry(program.entry(), schedule)
    unsealed = schedule.rpartition("-")[0]
    assert replay_entry(program.entry(), unsealed)[1], "the seal alone tells them apart"


def test_a_shortened_schedule_is_refused() -> None:
    """Whoever cuts a schedule off is told that it ends too early, instead of being shown a guess."""
    program = next(program for program in PROGRAMS if program.name.endswith("::bug_closure"))
    words = KEPT[program.name]["3.11"]["schedule"].split("-")
    with pytest.raises(ReplayMismatchError, match="ends after 2 steps"):
        replay_entry(program.entry(), "-".join([*words[:2], "1ls"]))


def test_a_schedule_without_a_seal_is_followed() -> None:
    """Those of outcomes have none."""
    for name in ("bug_closure", "bug_attribute"):
        program = next(program for program in PROGRAMS if program.name.endswith(f"::{name}"))
        schedule = KEPT[program.name]["3.11"]["schedule"].rpartition("-")[0]
        assert replay_entry(program.entry(), schedule)[1]


def test_a_task_that_is_left_alone_may_go_on(tmp_path: Path) -> None:
    """A print behind the last join, put there to look for the mistake, does not stop the replay."""
    schedule = schedule_of(tmp_path, LOST_UPDATE)
    program = Failing(tmp_path / "program.py")
    program.file.write_text(
        LOST_UPDATE.replace("assert", "print('the counter is', counter)\nassert")
    )
    _, faults, printed = replay_entry(program.entry(), schedule)
    assert printed == "the counter is 1\n"
    assert [fault.kind for fault in faults] == ["assertion"]


def test_a_schedule_is_read_back_as_it_was_written() -> None:
    """Steps, points and seal."""
    schedule = "1-abcdk3f9-0ss1ba10j-x7q2"
    replay, keys = decode(schedule)
    assert encode(replay.steps, keys, "x7q2") == schedule
    assert isinstance(replay, Replay)
