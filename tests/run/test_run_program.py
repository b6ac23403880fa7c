"""How a real run ends, and that nothing of it is left behind."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from commands import NEVER_ENDS, WITH_CHILDREN, processes_with
from parallel_cookbook.errors import UsageError
from parallel_cookbook.run import RunResult, Verdict, processes, run_program
from parallel_cookbook.run.runner import START_METHODS


def run_source(folder: Path, source: str, **options: Any) -> RunResult:  # noqa: ANN401
    file = folder / "program.py"
    file.write_text(source)
    return run_program(file, **options)


@pytest.mark.parametrize(
    ("source", "verdict", "message", "exit_code"),
    [
        ("print('all right')", Verdict.PASS, "", 0),
        ("import sys; sys.exit(3)", Verdict.EXIT_CODE, "it ended with exit code 3", 3),
        ("import sys; sys.exit('no')", Verdict.EXIT_CODE, "it ended with exit code 1", 1),
        ("import os; os._exit(7)", Verdict.EXIT_CODE, "it ended with exit code 7", 7),
        ("{}['key']", Verdict.EXCEPTION, "KeyError: 'key'", 1),
        ("assert 1 > 2, 'sums'", Verdict.EXCEPTION, "AssertionError: sums", 1),
        ("x = (", Verdict.EXCEPTION, "SyntaxError: '(' was never closed", 1),
        ("import os; os.abort()", Verdict.SIGNAL, "a signal ended it: SIGABRT", None),
    ],
)
def test_the_verdict_says_how_the_program_ended(
    tmp_path: Path, source: str, verdict: Verdict, message: str, exit_code: int | None
) -> None:
    """Exit code, exception and signal are told apart, each with its own sentence."""
    result = run_source(tmp_path, source)
    assert (result.verdict, result.message, result.exit_code) == (verdict, message, exit_code)


def test_a_hang_is_ended_and_its_output_is_kept(tmp_path: Path) -> None:
    """What was printed before the time-out is not lost, though the program never flushed."""
    result = run_source(tmp_path, NEVER_ENDS.replace(", flush=True", ""), timeout_s=1)
    assert result.verdict is Verdict.TIME_OUT
    assert result.stdout == "started\n"


def test_a_flood_is_ended(tmp_path: Path) -> None:
    """A program that prints for ever is ended soon after its allowance."""
    result = run_source(tmp_path, "while True: print('x' * 99)", max_output_bytes=100_000)
    assert result.verdict is Verdict.FLOOD
    assert len(result.stdout) < 1_000_000


def test_processes_left_running_are_found_and_ended(tmp_path: Path) -> None:
    """Exit code 0 is no success while a child in another session still runs."""
    source = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(1000)\n"
    result = run_source(tmp_path, source, mark="left-running")
    assert result.verdict is Verdict.LEFTOVER
    assert processes_with("COOKBOOK_RUN", "left-running") == []


def test_output_is_passed_on_as_it_comes_and_bad_bytes_do_no_harm(tmp_path: Path) -> None:
    """Both streams arrive whole; bytes that are no UTF-8 are replaced."""
    seen: list[tuple[str, str]] = []
    source = "import os; os.write(1, b'caf\\xc3\\xa9 \\xff'); os.write(2, b'\\xc3')"
    result = run_source(tmp_path, source, on_output=lambda *piece: seen.append(piece))
    assert (result.stdout, result.stderr) == ("café \ufffd", "\ufffd")
    assert "".join(text for stream, text in seen if stream == "stdout") == result.stdout


def test_an_exception_of_the_callback_ends_the_program(tmp_path: Path) -> None:
    """Whatever way the run is left, its processes are ended."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_source(tmp_path, WITH_CHILDREN, mark="interrupted", on_output=interrupt)
    assert processes_with("COOKBOOK_RUN", "interrupted") == []


def test_shared_memory_of_a_killed_program_is_unlinked(tmp_path: Path) -> None:
    """The resource tracker gets the time to clean up after the processes that were killed."""
    source = (
        "import time\nfrom multiprocessing.shared_memory import SharedMemory\n"
        "print(SharedMemory(create=True, size=64)._name)\ntime.sleep(1000)\n"
    )
    result = run_source(tmp_path, source, timeout_s=1)
    name = result.stdout.strip().lstrip("/")
    assert name
    assert not os.path.exists(f"/dev/shm/{name}")  # noqa: PTH110, S108 - where Linux keeps them


@pytest.mark.parametrize("method", START_METHODS)
def test_the_start_method_is_the_default_of_the_program(tmp_path: Path, method: str) -> None:
    """The program and its children see what plain Python shows them, but for the method."""
    source = (
        "import multiprocessing, sys\n"
        "def show():\n"
        "    print(__name__ if method == 'fork' else 'child', sys.argv[1:])\n"
        "method = multiprocessing.get_start_method()\n"
        "if __name__ == '__main__':\n"
        "    print(method, sys.argv[1:], __file__ == sys.argv[0], __spec__)\n"
        "    child = multiprocessing.Process(target=show)\n"
        "    child.start()\n"
        "    child.join()\n"
    )
    result = run_source(tmp_path, source, start_method=method, arguments=["-x", "a b"])
    assert result.verdict is Verdict.PASS, result.stderr
    first, second = result.stdout.splitlines()
    assert first == f"{method} ['-x', 'a b'] True None"
    assert second.endswith("['-x', 'a b']")


def test_a_child_can_send_an_object_of_a_class_of_the_program(tmp_path: Path) -> None:
    """A spawned child pickles the program's classes as `__mp_main__.X`; the parent must know it."""
    source = (
        "import multiprocessing\n"
        "class Parcel: pass\n"
        "def send(end): end.send(Parcel())\n"
        "if __name__ == '__main__':\n"
        "    here, there = multiprocessing.Pipe()\n"
        "    child = multiprocessing.Process(target=send, args=(there,))\n"
        "    child.start()\n"
        "    print(type(here.recv()).__qualname__)\n"
        "    child.join()\n"
    )
    assert run_source(tmp_path, source, start_method="spawn").stdout == "Parcel\n"


def test_a_traceback_under_a_start_method_is_the_programs_own(tmp_path: Path) -> None:
    """The launcher's frames do not show."""
    result = run_source(tmp_path, "def f():\n    1 / 0\nf()\n", start_method="spawn")
    assert result.message == "ZeroDivisionError: division by zero"
    assert "launcher" not in result.stderr


def test_a_program_may_choose_its_own_start_method(tmp_path: Path) -> None:
    """`set_start_method` works as under plain Python: the option is a default, not an order."""
    source = (
        "import multiprocessing as m\nm.set_start_method('fork')\nprint(m.get_start_method())\n"
    )
    assert run_source(tmp_path, source, start_method="spawn").stdout == "fork\n"


@pytest.mark.parametrize("name", ["missing.py", "."])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    """The error names the file and what is wrong with it."""
    with pytest.raises(UsageError, match="cannot read"):
        run_program(tmp_path / name)


def test_an_exception_before_the_first_output_ends_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever fails once the process is there, the process does not stay."""

    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("parallel_cookbook.run.runner.Output", fail)
    with pytest.raises(MemoryError):
        run_source(tmp_path, NEVER_ENDS, mark="no-output")
    assert processes_with("COOKBOOK_RUN", "no-output") == []


def test_an_exception_of_the_callback_leaves_no_descriptor_open(tmp_path: Path) -> None:
    """The pipes are closed before the last output is passed on."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    before = os.listdir("/proc/self/fd")  # noqa: PTH208 - as many names, not paths
    for source in ("print('text')", "import os; os.write(1, b'\\xc3')"):
        with pytest.raises(ZeroDivisionError):
            run_source(tmp_path, source, on_output=fail)
    assert len(os.listdir("/proc/self/fd")) == len(before)  # noqa: PTH208


def test_without_proc_the_process_group_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system shows no environments (macOS), children in the group end all the same."""
    monkeypatch.setattr(processes, "_PROC", tmp_path / "missing")
    source = "import os, time\nos.fork()\nprint('started', flush=True)\ntime.sleep(1000)\n"
    result = run_source(tmp_path, source, timeout_s=1, mark="no-proc")
    assert result.verdict is Verdict.TIME_OUT
    assert processes_with("COOKBOOK_RUN", "no-proc") == []


def test_without_proc_a_child_left_running_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The group is still there when its leader has gone."""
    monkeypatch.setattr(processes, "_PROC", tmp_path / "missing")
    source = "import os, time\nif os.fork() == 0:\n    time.sleep(1000)\n"
    assert run_source(tmp_path, source, mark="no-proc-left").verdict is Verdict.LEFTOVER
    assert processes_with("COOKBOOK_RUN", "no-proc-left") == []


def test_the_marks_of_an_outer_run_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `cookbook run` starts inside of a run belongs to both."""
    monkeypatch.setenv("COOKBOOK_RUN", "outer")
    found: list[int] = []
    run_source(
        tmp_path,
        NEVER_ENDS,
        timeout_s=1,
        mark="inner",
        on_output=lambda *_: found.extend(processes.members("outer")),
    )
    assert found
    assert processes_with("COOKBOOK_RUN", "outer:inner") == []


def test_what_a_child_prints_after_its_parents_end_is_kept(tmp_path: Path) -> None:
    """Output goes on being read in the grace time that leftover processes have."""
    source = "import os, time\nif os.fork() == 0:\n    time.sleep(0.2)\n    print('late')\n"
    result = run_source(tmp_path, source)
    assert (result.verdict, result.stdout) == (Verdict.PASS, "late\n")


def test_a_time_out_may_be_longer_than_the_system_can_wait(tmp_path: Path) -> None:
    """The system's calls overflow after some weeks; ours does not."""
    assert run_source(tmp_path, "", timeout_s=1e12).passed


def test_a_file_whose_name_begins_with_a_hyphen_is_no_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`pathlib` drops the "./" that the reader typed."""
    monkeypatch.chdir(tmp_path)
    Path("-x.py").write_text("print('ran')")
    assert run_program(Path("./-x.py")).stdout == "ran\n"


@pytest.mark.parametrize("method", [None, *START_METHODS])
def test_one_function_can_be_run_alone(tmp_path: Path, method: str | None) -> None:
    """Nothing under the main guard runs, and children find the file's functions and classes."""
    source = (
        "import multiprocessing, sys\n"
        "class Parcel: pass\n"
        "def send(end): end.send(Parcel())\n"
        "def work():\n"
        "    here, there = multiprocessing.Pipe()\n"
        "    child = multiprocessing.Process(target=send, args=(there,))\n"
        "    child.start()\n"
        "    print(type(here.recv()) is Parcel, sys.argv[1:])\n"
        "    child.join()\n"
        "if __name__ == '__main__':\n"
        "    print('main')\n"
    )
    result = run_source(tmp_path, source, function="work", start_method=method, arguments=["x"])
    assert (result.stdout, result.stderr) == ("True ['x']\n", "")


def test_ctrl_c_under_a_start_method_is_what_it_is_without(tmp_path: Path) -> None:
    """The program dies of SIGINT, with its own frames in the traceback and no others."""
    result = run_source(tmp_path, "raise KeyboardInterrupt", start_method="spawn")
    assert result.message == "a signal ended it: SIGINT"
    assert "launcher" not in result.stderr
    assert "program.py" in result.stderr


def test_a_safe_path_stays_safe_under_a_start_method(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PYTHONSAFEPATH keeps the program's folder off sys.path; what stands there is no folder of it."""
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    source = "import sys; print(sys.path)"
    plain = run_source(tmp_path, source).stdout
    assert run_source(tmp_path, source, start_method="fork").stdout == plain
