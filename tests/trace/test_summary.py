"""What is told of a recording: figures, the sentence on what to look at first, the text and the JSON."""

from __future__ import annotations

import io
import json
import random
import re
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from golden import assert_golden
from parallel_cookbook.report.trace import summary_lines, to_json
from parallel_cookbook.trace.states import State
from parallel_cookbook.trace.summary import Summary, summarise
from parallel_cookbook.trace.words import Words, count, listed, percent, span
from random_recordings import random_recording
from recordings import MS, recording

CONTENDED = """
    line 12 with lock:
    0      main  begin
    1      main  start a
    1      a     begin main
    2      main  start b
    2      b     begin main
    3      a     acquire  lock @12
    5      b     acquire? lock @12
    50     a     release  lock
    5-50   b     acquire  lock @12
    51     a     end
    95     b     release  lock
    96     b     end
    3-96   main  join b @30
    100    main  end
"""


def shown(summary: Summary, width: int = 80) -> str:
    """Return the summary as a terminal of this width shows it."""
    console = Console(file=io.StringIO(), width=width, color_system=None, highlight=False)
    for line in summary_lines(summary, "exit code 0"):
        console.print(line)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"


def test_a_contended_lock_is_what_to_look_at_first() -> None:
    """The sentence names the lock, how long was waited, who held it, and the line."""
    summary = summarise(recording(CONTENDED))
    assert summary.advice == (
        "Look first at lock: tasks waited 45.0 ms for it, 100 % of that while it was held from "
        "program.py:12 (with lock:), mostly by a; do less while it is held, or share less."
    )
    assert summary.locks[0].contended_share == 0.5


def test_a_program_that_fails_at_once_has_no_tables() -> None:
    """A SyntaxError or a missing module leaves nothing to advise on: the sentence says so."""
    summary = summarise(recording("0 main begin\n10 main end value=1"))
    assert summary.advice == (
        "The program ended at once with an exception, before it did anything with threads or processes: "
        "see its traceback."
    )
    assert shown(summary).rstrip().endswith("see its traceback.")


@pytest.mark.parametrize("more", ["5 main acquire lock", "5 a begin main", "1500 main sample"])
def test_a_program_that_fails_later_is_told_of(more: str) -> None:
    """An exception at the end takes nothing away from what went before."""
    end = "2000" if "sample" in more else "10"
    summary = summarise(recording(f"0 main begin\n{more}\n{end} main end value=1"))
    assert "exception" not in summary.advice
    assert "Tasks" in shown(summary)


def test_the_tables_words_are_explained_where_they_stand() -> None:
    """What is not in the tables is not explained; what says how to see the rest names the option."""
    contended = shown(summarise(recording(CONTENDED)), 200)
    assert "· is none at all." in contended
    for word in ("other: ", "is woken: ", "no CPU: ", "idle: ", "--json"):
        assert word not in contended
    text = shown(
        summarise(
            recording("""
                helper f
                0    main  begin
                0    main  sample value=0 extra=0
                1    f     begin main
                5    main  sample value=5000000 extra=0
                100  f     end
                100  main  end
            """)
        ),
        200,
    )
    assert "other: it waited outside of Python" in text
    assert "and 1 helper of the library: --json lists all" in text


def test_who_is_alone_and_waits_outside_of_python_is_told_so() -> None:
    """One task can wait for no other, but for a file or another program it can."""
    summary = summarise(
        recording("""
            0     main  begin
            0     main  sample value=0 extra=0
            20    main  sample value=20000000 extra=0
            2000  main  end
        """)
    )
    assert summary.advice == (
        "Look first at main: for 98 % of the run it waited outside of Python (for a file, a socket, "
        "another program), and the end waited for it."
    )


def test_shares_and_parallelism() -> None:
    """What each task did adds up to its life; the tasks' running adds up to the parallelism."""
    summary = summarise(recording(CONTENDED))
    main = summary.tasks[0]
    assert main.lived == 100 * MS
    assert main.spent == {State.RUNNING: 7 * MS, State.BLOCKED: 93 * MS}
    assert sum(summary.tasks[2].spent.values()) == summary.tasks[2].lived == 94 * MS
    assert summary.parallelism == pytest.approx((7 + 50 + 49) / 100)
    assert not summary.knows_gil


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "0 main begin\n10-90 main sleep @7\n100 main end",
            "Look first at the sleep at program.py:7",
        ),
        (
            (
                "0 main begin\n0 p begin\n5-80 main get q extra=1\n80 p put q extra=1\n"
                "81 p end\n100 main end"
            ),
            "Look first at p: who takes from queue q waited 75.0 ms",
        ),
        (
            "0 main begin\n0 c begin\n5-80 main put q @3\n80 c get q\n81 c end\n100 main end",
            "Look first at c: who puts into queue q waited 75.0 ms",
        ),
        (
            (
                "0 main begin\n5 main start w/w\n75 w/w begin main\n80 w/w end\n10-81 main join w/w\n"
                "90 main end"
            ),
            "Look first at what it costs to start: 70.0 ms of the run's 90.0 ms",
        ),
        (
            (
                "0 a begin\n0 b begin\n100 a sample value=50000000 extra=0\n"
                "100 b sample value=50000000 extra=0\n100 a end\n100 b end"
            ),
            "Look first at the GIL: a and b compute in one process",
        ),
        (
            (
                "0 a begin\n0 b begin\n100 a sample value=40000000 extra=60000000\n"
                "100 b sample value=50000000 extra=50000000\n100 a end\n100 b end"
            ),
            "Look first at the machine: for 60 % of the run",
        ),
        ("0 main begin\n100 main end", "main did everything alone"),
        (
            "0 a begin\n0 b/b begin\n100 a end\n100 b/b end",
            "2.0 tasks ran at once on 2 cores: nothing stands in the way",
        ),
        (
            "0 a begin\n0 b begin\n10 b end\n100 a end",
            "Look first at a: for 100 % of the run the end waited for what it did",
        ),
        (
            (
                "0 a begin\n0 a sample value=0 extra=0\n0 b begin\n10 b end\n"
                "90 a sample value=10000000 extra=0\n100 a end"
            ),
            "Look first at a: for 80 % of the run it waited outside of Python",
        ),
        ("0 a begin\n0 b begin\n40 b end\n41 a end", "It was over after 41.0 ms: too short"),
        (
            (
                "0 main begin\n1 main start p/p\n71 p/p begin main\n1-80 main get q extra=1\n"
                "80 p/p put q extra=1\n81 p/p end\n100 main end"
            ),
            "Look first at what it costs to start: 70.0 ms of the run's 100 ms",
        ),
    ],
)
def test_what_to_look_at_first(text: str, words: str) -> None:
    """Each cause has its sentence, with its figures."""
    assert words in summarise(recording(text)).advice


def test_a_thread_that_was_kept_waiting_is_no_reason_to_start_fewer() -> None:
    """To start a thread takes a tenth of a millisecond: more is the machine's doing, or the GIL's."""
    kept = "0 main begin\n1 main start t\n81 t begin main\n90 t end\n2-90 main join t\n100 main end"
    assert "costs to start" not in summarise(recording(kept)).advice
    spawned = re.sub(r"\bt\b", "p/p", kept)
    assert "costs to start" in summarise(recording(spawned)).advice


def test_what_python_takes_to_start_is_told_apart() -> None:
    """It is part of no share and no duration, and a program that takes less than it needs no advice."""
    made = recording("0 a begin\n0 b begin\n70 b end\n80 a end", start_up=131)
    summary = summarise(made)
    text = shown(summary)
    assert "80.0 ms, 2 tasks in 1 process, exit code 0; Python took 131 ms to start" in text
    assert summary.advice.startswith("The program took 80.0 ms, less than Python itself to start")
    assert sum(summary.path_shares.values()) == made.duration == 80 * MS
    assert to_json(summary, "pass", "")["start_up"] == 131 * MS


FULL = """
    thing s semaphore 3
    0      main  begin
    0      a     acquire  s @5
    0      b     acquire  s @5
    0      c     acquire  s @5
    1      d     acquire? s @5
    1-90   d     acquire  s @5
    90     a     release  s
    95     b     release  s
    96     c     release  s
    97     d     release  s
    2-100  main  join d
    100    main  end
"""


def test_a_semaphore_is_held_for_no_more_than_the_run() -> None:
    """Several hold it at once: that makes no shares above 100 %."""
    summary = summarise(recording(FULL))
    assert summary.locks[0].busy == 97 * MS
    assert max(int(share) for share in re.findall(r"(\d+) %", shown(summary))) == 100
    assert summary.advice.startswith(
        "Look first at semaphore s: tasks waited 89.0 ms for it, 100 % of that"
    )


@pytest.mark.parametrize("seed", range(60))
def test_no_share_is_above_all_or_below_nothing(seed: int) -> None:
    """Whatever was recorded: sentence and tables tell of shares from 0 to 100 %."""
    chance = random.Random(seed)
    made = random_recording(chance)
    if seed % 2:  # the same, with semaphores
        things = [replace(one, kind="semaphore", capacity=3) for one in made.things]
        made = replace(made, things=tuple(things))
    made = replace(made, start_up=chance.choice([0, made.duration // 3, made.duration * 4]))
    text = shown(summarise(made, was_cut_off=seed % 3 == 0))
    assert all(0 <= int(share) <= 100 for share in re.findall(r"(-?\d+) %", text)), text


@pytest.mark.parametrize("text", [CONTENDED, FULL])
def test_shares_are_of_the_program_alone(text: str) -> None:
    """However long Python took to start, the shares are the same."""
    slow = summarise(recording(text, start_up=90))
    assert slow.advice == summarise(recording(text)).advice
    assert shown(slow).splitlines()[3:] == shown(summarise(recording(text))).splitlines()[3:]


def test_an_empty_recording_is_told_as_such() -> None:
    """Nothing recorded, nothing made up."""
    summary = summarise(recording(""))
    assert summary.advice.startswith("Nothing was recorded")
    assert summary.parallelism == 0
    assert "Nothing was recorded" in shown(summary)


def test_the_text_of_a_run() -> None:
    """The whole summary, as on a terminal."""
    text = (
        CONTENDED
        + """
        60   a/q   put q value=1 extra=1 @40
        70   main  get q value=0 extra=1 @41
    """
    )
    assert_golden("trace_summary.txt", shown(summarise(recording(text))))


@pytest.mark.parametrize("width", [72, 80, 100, 120])
@pytest.mark.parametrize(
    "name", ["lock", "Thread-1 (customer)", "a_very_long_name_of_a_thing" * 2, "錠前" * 20]
)
def test_a_row_is_a_line_whatever_the_width(width: int, name: str) -> None:
    """Long names are cut with an ellipsis, the task goes before the line's number, no figure is cut."""
    made = recording(CONTENDED)
    things = [replace(one, label=name) for one in made.things]
    tasks = [replace(one, name=name + one.name) for one in made.tasks]
    lines = shown(summarise(replace(made, things=tuple(things), tasks=tuple(tasks))), width)
    assert all(cell_len(line) <= width for line in lines.splitlines())
    [_, row, end, *_] = lines[lines.index("Locks") :].splitlines()
    assert end == ""
    place = "program.py:12" if width >= 80 else "….*:12"
    assert re.search(r" 2 +50 %  45.0 ms  92 %  47.0 ms  " + place, row), row
    [_, *path] = lines[lines.index("Critical path") :].partition("\n\n")[0].splitlines()
    assert all(line.endswith("  runs") for line in path)


def test_the_text_of_a_hang() -> None:
    """Who waits for whom, the cycle, the stacks."""
    made = recording("""
        line 13 with second:
        line 23 with first:
        0   main  begin
        1   main  start a
        1   a     begin main
        2   main  start b
        2   b     begin main
        5   a     acquire  first @12
        6   b     acquire  second @22
        7   a     acquire? second @13
        8   b     acquire? first @23
        9   main  join? a @30
        stack a 13 40
        stack b 23 41
    """)
    assert_golden("trace_hang.txt", shown(summarise(made, was_cut_off=True)))


def test_the_json_holds_the_same_and_is_json() -> None:
    """Schema 1; what the text rounds is exact."""
    summary = summarise(recording(CONTENDED))
    told = json.loads(json.dumps(to_json(summary, "pass", "exit code 0")))
    assert (told["schema"], told["verdict"], told["duration"]) == (1, "pass", 100 * MS)
    [lock] = told["locks"]
    assert (lock["label"], lock["waited"], lock["longest_hold"]["location"]) == (
        "lock",
        45 * MS,
        "program.py:12",
    )
    assert sum(piece["end"] - piece["begin"] for piece in told["critical_path"]) == 100 * MS
    assert told["hang"] is None


@pytest.mark.parametrize(
    ("nanoseconds", "words"),
    [
        (0, "0 s"),
        (999, "999 ns"),
        (1_000, "1.00 µs"),
        (9_994, "9.99 µs"),
        (9_996, "10.0 µs"),
        (999_960_000, "1.00 s"),
        (12_340_000, "12.3 ms"),
        (123_400_000_000, "123 s"),
    ],
)
def test_a_duration_has_three_digits(nanoseconds: int, words: str) -> None:
    """In the unit that suits it."""
    assert span(nanoseconds) == words


def test_shares_counts_and_lists_in_words() -> None:
    """Something is never told as nothing."""
    assert [percent(0, 9), percent(1, 1000), percent(1, 3), percent(9, 9)] == [
        "0 %",
        "< 1 %",
        "33 %",
        "100 %",
    ]
    assert [count(1, "process", "processes"), count(2000, "task")] == ["1 process", "2,000 tasks"]
    assert [listed([]), listed("a"), listed("ab"), listed("abc")] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


@pytest.mark.parametrize(
    ("kind", "label", "words"),
    [
        ("lock", "lock", "lock"),
        ("lock", "guard", "lock guard"),
        ("rlock", "lock", "lock"),
        ("rlock", "Account.lock", "Account.lock"),
        ("rlock", "guard", "RLock guard"),
        ("queue", "Queue", "Queue"),
    ],
)
def test_a_kind_is_not_said_twice(kind: str, label: str, words: str) -> None:
    """Where the label says it, the kind stands not before it."""
    made = recording("0 main acquire x\n1 main end")
    thing = replace(made.things[0], kind=kind, label=label)
    assert Words(replace(made, things=(thing,))).a_thing(0) == words


def test_what_steers_a_terminal_is_not_passed_on() -> None:
    """Names and source lines are the program's: they are shown, but have no effect."""
    made = recording(
        "line 12 \x1b[31mevil()\x07\n0 main begin\n1 main acquire lock @12\n2 main end"
    )
    thing = replace(made.things[0], label="\x1b]0;title\x07" + "x" * 500)
    text = shown(summarise(replace(made, things=(thing,), command=("\x1b[2J",))))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "x" * 100 not in text
