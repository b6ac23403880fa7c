"""Run an answer for real, where a check cannot judge all of it: what a forked process inherits.

The answer is copied into a folder of its own, with one line added at the end of `main()` that prints a word
nobody can guess: so a run that ends well without having come so far is found out.
"""

from __future__ import annotations

import ast
import contextlib
import os
import re
import secrets
import signal
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from parallel_cookbook.run import RunResult, Verdict, processes, run_program

MAX_RUN_S = 10.0
"""How long a run may take at the most."""
_STILL_S = 2.0
"""Nobody of a run has computed anything for so long: it hangs. Only where there is `/proc`."""
_LOOK_S = 0.1
_KEPT_OUTPUT = 2000
_KINDS = {
    Verdict.TIME_OUT: "deadlock",
    Verdict.LEFTOVER: "leaked-task",
}


@dataclass(frozen=True, slots=True)
class RealRun:
    """What came of a real run."""

    kind: str
    """A kind of failure, or "not-run"; empty if it came off well."""
    message: str
    line: int
    output: str


def run_for_real(name: str, source: str, mark: str, max_seconds: float = MAX_RUN_S) -> RealRun:
    """Run the text of an answer as the file `name`; return what came of it, `max_seconds` later at the most.

    mark: what the processes bear, as `run_program` has it. Blocks until nothing of the run is left.
    """
    word = secrets.token_hex(8)
    changed, added = _with_word(source, word)
    with tempfile.TemporaryDirectory(prefix="cookbook-") as folder:
        file = Path(folder) / name
        file.write_text(changed, encoding="utf-8")
        with _Watch(mark) as watch:
            result = run_program(file, timeout_s=max_seconds, mark=mark, on_start=watch.begin)
    output = "".join(result.stdout.splitlines(keepends=True)).replace(f"{word}\n", "")
    output = (output + result.stderr).replace(str(file), name)[-_KEPT_OUTPUT:]
    line = _line(result.stderr, name, added)
    if watch.has_ended or result.verdict is Verdict.TIME_OUT:
        after = f"{_STILL_S:g} s" if watch.has_ended else f"{max_seconds:g} s"
        waited = "had been waiting for" if watch.has_ended else "was still running after"
        message = f"run for real, it does not end: it {waited} {after}"
        return RealRun("deadlock", message, line, output)
    if result.verdict is Verdict.PASS:
        if word in result.stdout:
            return RealRun("", "", 0, output)
        message = "run for real, it ends before main() has come to its end"
        return RealRun("not-run", message, 0, output)
    return RealRun(_kind(result), f"run for real: {result.message}", line, output)


def _kind(result: RunResult) -> str:
    if result.verdict is Verdict.EXCEPTION and result.message.startswith("AssertionError"):
        return "assertion"
    return _KINDS.get(result.verdict, "exception")


def _with_word(source: str, word: str) -> tuple[str, int]:
    """Return the text with a line that prints `word` at the end of `main`, and the number of that line."""
    main = next(
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name == "main"
    )
    last = main.body[-1]
    lines = source.splitlines()
    end = last.end_lineno or last.lineno
    lines.insert(end, f"{' ' * last.col_offset}print({word!r}, flush=True)")
    return "\n".join(lines) + "\n", end + 1


def _line(stderr: str, name: str, added: int) -> int:
    """Return the line of the answer in which the last traceback ends; 0 if there is none."""
    found = re.findall(rf'File "[^"]*{re.escape(name)}", line (\d+)', stderr)
    line = int(found[-1]) if found else 0
    return line - 1 if line > added else line


class _Watch:
    """Ends a run of which nobody computes any more, sooner than its time is up."""

    def __init__(self, mark: str) -> None:
        self.has_ended = False
        """Whether it has ended the run."""
        self._mark = mark
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._is_over.set()
        if self._thread is not None:
            self._thread.join()

    def begin(self, group: int) -> None:
        """Watch the processes of this group and mark from now on."""
        if Path("/proc/self/stat").exists():
            self._thread = threading.Thread(target=self._watch, args=(group,), daemon=True)
            self._thread.start()

    def _watch(self, group: int) -> None:
        since, before = time.monotonic(), None
        while not self._is_over.wait(_LOOK_S):
            now = _states(processes.members(self._mark, group))
            if now is None or now != before:
                since, before = time.monotonic(), now
            elif time.monotonic() - since > _STILL_S:
                self.has_ended = True
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(group, signal.SIGKILL)
                return


def _states(pids: list[int]) -> tuple[tuple[int, ...], ...] | None:
    """Return how long each process has computed, in ticks; None if one does so now, or nobody is there."""
    found = []
    for pid in sorted(pids):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        except OSError:
            return None
        if fields[0] != "S":
            return None
        found.append((pid, int(fields[11]), int(fields[12])))
    return tuple(found) or None
