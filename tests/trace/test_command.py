"""The command `cookbook trace` as its users meet it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from typing import TYPE_CHECKING

import pytest

from commands import COOKBOOK, NEVER_ENDS, WITH_CHILDREN, cookbook, wait_until_none

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(120)

TALKS = """
    import sys, threading

    def work():
        print("from a thread")

    print("asked:", sys.stdin.read())
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    print(sys.argv[1:], __name__, file=sys.stderr)
    sys.exit(int(sys.argv[1]))
"""


def written(folder: Path, source: str, name: str = "program.py") -> Path:
    file = folder / name
    file.write_text(textwrap.dedent(source), encoding="utf-8")
    return file


def test_the_programs_input_output_and_arguments_are_its_own(tmp_path: Path) -> None:
    """Standard output is the program's alone; the summary goes to standard error; failure is 1."""
    file = written(tmp_path, TALKS)
    ended = subprocess.run(
        [*COOKBOOK, "trace", str(file), "--", "7", "--json"],
        input="a question",
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout == "asked: a question\nfrom a thread\n"
    assert ended.stderr.startswith("['7', '--json'] __main__\n")
    assert "2 tasks in 1 process, exit code 7" in " ".join(ended.stderr.split())
    assert ended.returncode == 1


def test_json_is_alone_on_standard_output(tmp_path: Path) -> None:
    """The program's own output goes to standard error; its exit code is told."""
    file = written(tmp_path, TALKS)
    ended = subprocess.run(
        [*COOKBOOK, "trace", "--json", str(file), "--", "0"],
        input="x",
        capture_output=True,
        text=True,
        check=False,
    )
    told = json.loads(ended.stdout)
    assert (told["schema"], told["verdict"], told["exit_code"], told["lost"]) == (1, "pass", 0, 0)
    assert [task["name"] for task in told["tasks"]] == ["main", "Thread-1 (work)"]
    assert "from a thread" in ended.stderr
    assert ended.returncode == 0


def test_a_recipe_a_function_and_a_module_can_be_traced(tmp_path: Path) -> None:
    """Each by its name; a function alone does not run what stands under the main guard."""
    recipe = cookbook("trace", "--json", "threads/lock")
    assert json.loads(recipe.stdout)["verdict"] == "pass"
    file = written(
        tmp_path, "def one():\n    print('one')\nif __name__ == '__main__':\n    print('all')\n"
    )
    function = cookbook("trace", f"{file}::one")
    assert function.stdout == "one\n"
    module = cookbook("trace", "-m", "program", "--", "x", cwd=tmp_path)
    assert module.stdout == "all\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name one program to trace"),
        (["threads/lock", "-m", "json"], "name one program to trace"),
        (["no/such/recipe"], "no/such/recipe"),
        (["gone.py"], "the file 'gone.py' is not there"),
        (["threads/lock", "--html", "no/folder/x.html"], "there is no folder"),
        (["threads/lock", "--keep", "."], "cannot make the folder '.'"),
        (["--from", "."], "holds no recording"),
        (["threads/lock", "--from", "."], "--from runs nothing"),
        (["threads/lock", "--timeout", "-1"], "is no time to wait"),
    ],
)
def test_a_mistake_gets_a_sentence_and_exit_code_2(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    """No traceback, and nothing is run."""
    ended = cookbook("trace", *arguments, cwd=tmp_path)
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.returncode == 2


def test_a_program_with_an_error_shows_its_own_traceback(tmp_path: Path) -> None:
    """It begins where the program begins, as under Python itself."""
    file = written(tmp_path, "def f():\n    raise KeyError('x')\nf()\n")
    ended = cookbook("trace", str(file))
    plain = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, check=False)
    assert ended.stderr.startswith(plain.stderr)
    assert ended.returncode == 1


def test_a_picture_and_a_perfetto_trace_are_written(tmp_path: Path) -> None:
    """A page by itself, and JSON with events."""
    page, trace = tmp_path / "run.html", tmp_path / "run.json"
    ended = cookbook("trace", "messages/producer", "--html", page, "--perfetto", trace)
    assert ended.returncode == 0, ended.stderr
    assert "<html" in page.read_text(encoding="utf-8")
    events = json.loads(trace.read_text(encoding="utf-8"))["traceEvents"]
    assert {"X", "M"} <= {event["ph"] for event in events}
    assert f"The picture is in {page}: open it in a browser\n" in ended.stderr
    assert f"A trace for Perfetto is in {trace}: open it in the Perfetto UI\n" in ended.stderr


def test_a_program_is_called_as_briefly_as_it_can(tmp_path: Path) -> None:
    """A recipe by its id, however it was named; a file under the current folder from there."""
    file = written(tmp_path, "def f():\n    pass\n\nf()\n")
    for name, shown in ((str(file), "program.py"), (f"{file}::f", "program.py::f")):
        assert f"\ntrace {shown}\n" in cookbook("trace", name, cwd=tmp_path).stderr
    elsewhere = written(tmp_path.parent, "pass", f"{tmp_path.name}.py")
    told = cookbook("trace", elsewhere, cwd=tmp_path).stderr
    assert f"trace {elsewhere} " in " ".join(told.split())  # a long one has a line of its own
    assert "\ntrace threads/once\n" in cookbook("trace", "once", cwd=tmp_path).stderr


def test_a_kept_recording_is_told_again(tmp_path: Path) -> None:
    """With the same figures, and without running anything."""
    file = written(tmp_path, TALKS)
    subprocess.run(
        [*COOKBOOK, "trace", "--keep", "kept", str(file), "--", "0"],
        input="x",
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    file.unlink()
    first, second = (
        json.loads(cookbook("trace", "--from", "kept", "--json", cwd=tmp_path).stdout)
        for _ in range(2)
    )
    assert first == second
    assert first["exit_code"] == 0


def test_a_time_out_ends_the_program_and_tells_what_it_waited_for(tmp_path: Path) -> None:
    """Exit code 1; the recording is kept, and tells the same again."""
    file = written(
        tmp_path,
        "import threading\nevent = threading.Event()\nevent.wait(1000)\n",
    )
    ended = cookbook("trace", "--timeout", "1.5", "--keep", "kept", str(file), cwd=tmp_path)
    assert ended.returncode == 1
    words = " ".join(ended.stderr.split())
    assert "still running after 1.5 s; ended" in words
    assert "main waits at program.py:3 for event to be set" in words
    again = " ".join(cookbook("trace", "--from", "kept", cwd=tmp_path).stderr.split())
    assert "main waits at program.py:3 for event to be set" in again


def started(*arguments: str | Path, mark: str) -> subprocess.Popen[str]:
    """Start the command in the background; wait until its program says that it has started."""
    process = subprocess.Popen(
        [*COOKBOOK, "trace", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "TRACE_TEST": mark},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    return process


def test_ctrl_c_tells_who_waits_and_leaves_no_process(tmp_path: Path) -> None:
    """Exit code 130; children of every start method are gone, also one that left the group."""
    file = written(tmp_path, WITH_CHILDREN)
    process = started(file, mark=str(tmp_path))
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate()
    assert process.returncode == 130, stderr
    assert "interrupted" in stderr
    assert wait_until_none("TRACE_TEST", str(tmp_path)) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_when_the_command_is_killed(
    tmp_path: Path, number: signal.Signals
) -> None:
    """Whatever ends the command, its program ends too."""
    process = started(written(tmp_path, NEVER_ENDS), mark=str(tmp_path))
    process.send_signal(number)
    process.communicate()
    assert wait_until_none("TRACE_TEST", str(tmp_path)) == []


def test_ctrl_c_reaches_the_program(tmp_path: Path) -> None:
    """Its `except KeyboardInterrupt` runs, after it was looked at."""
    file = written(
        tmp_path,
        """
        import threading
        print("started", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("cleaned up", flush=True)
        """,
    )
    process = started(file, mark=str(tmp_path))
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate()
    assert stdout == "cleaned up\n"
    assert "main waits at program.py:5" in " ".join(stderr.split())
    assert process.returncode == 130


def test_a_deadlock_of_some_is_told_while_others_go_on(tmp_path: Path) -> None:
    """The program is not ended: it ends when its own time has come."""
    file = written(
        tmp_path,
        """
        import os, sys, threading

        first, second = threading.Lock(), threading.Lock()
        both_hold_one, told = threading.Barrier(2), threading.Event()

        def stuck(mine, other):
            with mine:
                both_hold_one.wait()
                with other:
                    pass

        for locks in (first, second), (second, first):
            threading.Thread(target=stuck, args=locks, daemon=True).start()
        while not told.wait(0.2):  # until the parent has read what the tracer says
            if os.path.exists(sys.argv[1]):
                told.set()
        """,
    )
    flag = tmp_path / "told"
    process = subprocess.Popen(
        [*COOKBOOK, "trace", str(file), "--", str(flag)], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    watchdog = threading.Timer(
        60, flag.touch
    )  # so that nothing goes on for ever if nothing is told
    watchdog.start()
    first = process.stderr.readline()
    watchdog.cancel()
    flag.touch()
    process.communicate()
    assert first.startswith("cookbook: some tasks can never go on, others do")
    assert process.returncode == 0
