"""Signals to `cookbook run`: what they do to it, to the program, and that nothing is left."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from commands import COOKBOOK, NEVER_ENDS, WITH_CHILDREN, processes_with, wait_until_none
from parallel_cookbook.run import RunInterrupted, Verdict, processes, run_program, signals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STUBBORN = """\
import os, signal, time
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    time.sleep(1000)
print("started", flush=True)
time.sleep(1000)
"""
CLEANS_UP = """\
import time
try:
    print("started", flush=True)
    time.sleep(1000)
except KeyboardInterrupt:
    print("cleaned up")
"""


@contextlib.contextmanager
def started(
    file: Path, *arguments: str, prefix: tuple[str, ...] = (), token: str = ""
) -> Iterator[subprocess.Popen[str]]:
    """Start `cookbook run`, and wait until the program has printed a line."""
    with subprocess.Popen(
        [*prefix, *COOKBOOK, "run", file, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COOKBOOK_TEST": token or f"{os.getpid()}-{file.name}"},
    ) as command:
        assert command.stdout
        assert command.stdout.readline() == "started\n"
        yield command


def program(folder: Path, source: str) -> Path:
    file = folder / "program.py"
    file.write_text(source)
    return file


def wait_until(claim: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not claim():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]


@pytest.mark.parametrize(
    ("number", "exit_code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)],
)
def test_a_killed_command_leaves_no_process(tmp_path: Path, number: int, exit_code: int) -> None:
    """However `cookbook run` is ended, all that the program started ends with it."""
    token = f"{os.getpid()}-{number}"
    with started(program(tmp_path, WITH_CHILDREN), token=token) as command:
        assert len(processes_with("COOKBOOK_TEST", token)) >= 6
        command.send_signal(number)
        assert command.wait(20) == exit_code
        assert wait_until_none("COOKBOOK_TEST", token) == []


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
def test_an_impatient_second_signal_changes_nothing(
    tmp_path: Path, first: int, second: int
) -> None:
    """While a program that ignores them is being ended, more signals come, again and again."""
    token = f"{os.getpid()}-{first}-{second}-again"
    with started(program(tmp_path, STUBBORN), token=token) as command:
        command.send_signal(first)
        for _ in range(40):
            with contextlib.suppress(subprocess.TimeoutExpired):
                command.wait(0.01)
                break
            command.send_signal(second)
        command.wait(20)
        assert command.returncode != 0
        assert wait_until_none("COOKBOOK_TEST", token) == []
        assert command.stderr
        assert "Traceback" not in command.stderr.read()


def test_a_signal_that_is_held_back_acts_afterwards() -> None:
    """A Ctrl-C is not lost because it came while processes were being ended."""
    steps: list[str] = []

    def interrupted() -> None:
        with signals.held_back():
            signal.raise_signal(signal.SIGINT)
            steps.append("end of the block")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert steps


def test_ctrl_c_reaches_the_program_as_ctrl_c(tmp_path: Path) -> None:
    """Its `except KeyboardInterrupt` runs, and what it prints there is kept."""
    shown = ""

    def interrupt_once(_stream: str, text: str) -> None:
        nonlocal shown
        shown += text
        if shown == "started\n":
            raise KeyboardInterrupt

    with pytest.raises(RunInterrupted) as caught:
        run_program(program(tmp_path, CLEANS_UP), on_output=interrupt_once)
    assert caught.value.result.verdict is Verdict.INTERRUPTED
    assert caught.value.result.stdout == "started\ncleaned up\n"
    assert shown == caught.value.result.stdout


def test_an_interrupted_run_says_so(tmp_path: Path) -> None:
    """A single program's verdict is `interrupted`, not nothing."""
    with started(program(tmp_path, CLEANS_UP)) as command:
        command.send_signal(signal.SIGINT)
        shown, errors = command.communicate(timeout=20)
    assert (shown, command.returncode) == ("cleaned up\n", 130)
    assert "interrupted" in errors


def test_an_interrupted_run_of_several_counts_what_ran(tmp_path: Path) -> None:
    """The closing line claims no more than has passed, and nothing else is suggested."""
    (tmp_path / "works.py").write_text("")
    with subprocess.Popen(
        [*COOKBOOK, "run", "works.py", program(tmp_path, NEVER_ENDS)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    ) as command:
        assert command.stdout
        lines = iter(command.stdout.readline, "")
        assert any("started" in line for line in lines)
        command.send_signal(signal.SIGINT)
        rest = command.stdout.read()
    assert command.returncode == 130
    assert "Interrupted: 1 of 2 ran, 1 passed." in rest
    assert "All" not in rest
    assert "Try:" not in rest


def test_json_lists_the_program_that_was_cut_off(tmp_path: Path) -> None:
    """Its output is there, with the verdict `interrupted`."""
    ready = tmp_path / "ready"
    source = f"import time\nprint('x', flush=True)\nopen({str(ready)!r}, 'w')\ntime.sleep(1000)\n"
    with subprocess.Popen(
        [*COOKBOOK, "run", "--json", program(tmp_path, source)], stdout=subprocess.PIPE, text=True
    ) as command:
        wait_until(ready.exists)
        command.send_signal(signal.SIGINT)
        data = json.loads(command.communicate(timeout=20)[0])
    assert data["verdict"] == "interrupted"
    assert [(item["verdict"], item["stdout"]) for item in data["recipes"]] == [
        ("interrupted", "x\n")
    ]


def test_what_is_ignored_from_the_start_stays_ignored(tmp_path: Path) -> None:
    """`nohup cookbook run …` survives the end of the terminal."""
    go_on = tmp_path / "go on"
    source = (
        "import os, time\nprint('started', flush=True)\n"
        f"while not os.path.exists({str(go_on)!r}): time.sleep(0.01)\n"
    )
    ignoring = ("bash", "-c", 'trap "" HUP; exec "$@"', "bash")
    with started(program(tmp_path, source), prefix=ignoring) as command:
        command.send_signal(signal.SIGHUP)
        go_on.write_text("")
        assert command.wait(20) == 0


def test_ctrl_z_stops_the_program_too(tmp_path: Path) -> None:
    """Both stop, both go on; the time between does not count for the time-out."""
    source = "import os, time\nprint('started', flush=True)\nprint(os.getpid(), flush=True)\ntime.sleep(1000)"
    with started(program(tmp_path, source)) as command:
        assert command.stdout
        pid = int(command.stdout.readline())
        command.send_signal(signal.SIGTSTP)
        wait_until(lambda: state(pid) == state(command.pid) == "T")
        command.send_signal(signal.SIGCONT)
        wait_until(lambda: "T" not in (state(pid), state(command.pid)))
        command.send_signal(signal.SIGINT)
        assert command.wait(20) == 130


def test_ctrl_c_before_the_command_line_is_there_shows_nothing() -> None:
    """In the tenth of a second that the imports take, too, the command just ends."""
    interrupt = (
        "import os, signal, sys\n"
        "class Finder:\n"
        "    @staticmethod\n"
        "    def find_spec(name, *_):\n"
        "        if name == 'click':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder)\n"
        "from parallel_cookbook.cli import main\n"
        "main()\n"
    )
    ended = subprocess.run([sys.executable, "-c", interrupt], capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (-signal.SIGINT, b"")


@pytest.mark.parametrize("last_word", [b"", b"done\n"], ids=["dies", "ends well"])
def test_without_proc_the_guard_ends_the_group_it_was_told_of(last_word: bytes) -> None:
    """The guard of a dead command knows the last run's group; that of a happy one ends nothing."""
    guard = (
        "from pathlib import Path\nfrom parallel_cookbook.run import processes\n"
        "processes._PROC = Path('/missing')\nprocesses.guard('some-mark')\n"
    )
    with subprocess.Popen(["sleep", "1000"], process_group=0) as sleeper:
        told = b"%d\n" % sleeper.pid + last_word
        # In the background, for the sleeper is our child: a zombie until we ask for it.
        with subprocess.Popen([sys.executable, "-c", guard], stdin=subprocess.PIPE) as process:
            assert process.stdin
            process.stdin.write(told)
            process.stdin.close()
            if last_word:
                process.wait(20)
                assert sleeper.poll() is None
                sleeper.kill()
            else:
                assert sleeper.wait(20) == -signal.SIGTERM


def test_a_group_of_somebody_else_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS EPERM is what one gets for a group of zombies."""

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "killpg", refuse)
    monkeypatch.setattr(processes, "_PROC", Path("/missing"))
    assert processes.members("some-mark", 12345) == []
