"""Runs a threaded program for real, many times, with threads switched within lines; prints what came of it.

    python forced_switches.py FILE RUNS SEED

A trace function is called before each instruction of the program, and now and then lets another thread
have its turn: so what CPython can do between any two instructions is done. Prints, as JSON,
[what was printed, the uncaught exceptions, whether threads were stuck], each once, a line each. A run that is
stuck is the last one.
"""

from __future__ import annotations

import io
import json
import random
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import CodeType, FrameType

PATIENCE_S = 3.0
"""A run takes some milliseconds; one that takes so long is stuck."""
NAP_S = 0.00002
Outcome = tuple[str, tuple[str, ...], bool]


class Switcher:
    """Lets other threads have their turn, at random instructions of one file."""

    def __init__(self, file: str, dice: random.Random) -> None:
        self._file = file
        self._dice = dice
        self.share = 0.1
        """How many of the instructions others come before."""

    def trace(self, frame: FrameType, _event: str, _value: Any) -> Any:  # noqa: ANN401 - settrace's own
        """Be called before each instruction."""
        if frame.f_code.co_filename != self._file:
            return None
        frame.f_trace_opcodes = True
        if self._dice.random() < self.share:
            time.sleep(NAP_S)
        return self.trace


def run_once(code: CodeType, switcher: Switcher) -> Outcome:
    """Execute the program once, in a thread of its own, and return what came of it."""
    printed, raised = io.StringIO(), []

    def catch(args: threading.ExceptHookArgs) -> None:
        raised.append(f"{args.exc_type.__name__}: {args.exc_value}")

    def show(*values: object) -> None:
        print(*values, file=printed)

    space = {"__name__": "__main__", "print": show}
    threading.excepthook = catch
    threading.settrace(switcher.trace)
    before = set(threading.enumerate())
    main = threading.Thread(target=exec, args=(code, space), daemon=True)
    main.start()
    main.join(PATIENCE_S)
    threading.settrace(None)
    is_stuck = main.is_alive() or bool(set(threading.enumerate()) - before)
    return printed.getvalue(), tuple(sorted(set(raised))), is_stuck


def main() -> None:
    """Run the program as often as asked, or until it is stuck."""
    file, runs, seed = sys.argv[1:]
    threading.Thread = _Daemon  # type: ignore[misc] # who is stuck must not keep the process
    dice = random.Random(seed)
    switcher = Switcher(file, dice)
    code = compile(Path(file).read_text(encoding="utf-8"), file, "exec")
    seen: set[Outcome] = set()
    for _ in range(int(runs)):
        switcher.share = dice.choice((0.03, 0.1, 0.3))
        outcome = run_once(code, switcher)
        if outcome not in seen:
            seen.add(outcome)
            sys.stdout.write(json.dumps(outcome) + "\n")
            sys.stdout.flush()
        if outcome[2]:
            break


class _Daemon(threading.Thread):
    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - Thread's own
        super().__init__(*arguments, **{**options, "daemon": True})


if __name__ == "__main__":
    main()
