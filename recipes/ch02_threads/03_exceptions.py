"""Carry an exception out of a thread, and raise it where the result is wanted.

Problem
-------
A thread reads a number from a configuration file. The file is wrong, `int` raises,
and the program goes on as if nothing had happened: a traceback on standard error,
which nobody reads, and exit status 0.

Solution
--------
Catch the exception inside the thread, keep it, and raise it again in the thread that
asks for the result. As a safety net for all others set `threading.excepthook`, which
is told about each exception that leaves a thread uncaught.

How it works
------------
An exception unwinds the stack of the thread it was raised in, and that stack ends in
the thread. `start()` has returned long before, and `join()` says that the thread has
ended, not how. So `Task.run` catches what the work raises and stores it; `result()`
joins, which makes the stored error visible, and raises it. Its traceback still shows
the line in the thread. `_error` and `_values` are written by the task before the join
and read by others after it: no lock is needed.

`threading.excepthook` is called in the dying thread with the exception's type, value
and traceback and with the thread. It is one for the whole program: put the old one
back if you replace it for a while. Copy what you need out of its argument; keeping
the exception or the thread keeps everything alive that they refer to.

It ends because each thread calls one function once and waits for nobody.

Pitfalls
--------
`pitfall_try_around_join` puts `try` around `start` and `join`. The handler can never
run: `int` raises in the other thread, whose stack has no handler. The default hook
prints a traceback, `join` returns, and the caller believes that all went well.

Not even that traceback appears after `sys.exit()` in a thread: `SystemExit` ends the
thread only, and the default hook passes over it in silence. That is why `Task`
catches `BaseException`.

Cost
----
A `try` block that catches nothing costs nothing that one could measure; the thread
costs what any thread does, and for two numbers a serial loop wins. The danger lies
elsewhere: an exception kept and never asked for is more silent than the traceback
was. Ask each task for its result, even if you do not need it.

See also
--------
`threads/results` for results without errors, `threads/thread_pool`, where futures
behave like `Task`, `processes/dead_worker` for workers that die without a word.
"""

import threading
from collections.abc import Callable
from threading import ExceptHookArgs, Thread
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Task(Thread, Generic[Result]):
    """Calls `work(text)` in a thread; `result()` returns or raises what the call did."""

    def __init__(self, work: Callable[[str], Result], text: str) -> None:
        super().__init__()
        self._work = work
        self._text = text
        self._values: list[Result] = []  # one value, once it is there
        self._error: BaseException | None = None

    def run(self) -> None:
        """Call the work, and keep what it returns or raises."""
        try:
            self._values.append(self._work(self._text))
        except BaseException as error:  # SystemExit too: who asks must hear of it
            self._error = error

    def result(self) -> Result:
        """Wait for the end of the work; return its result, or raise its exception."""
        self.join()
        if self._error is not None:
            raise self._error
        return self._values[0]


def parse_in_threads(texts: list[str]) -> tuple[list[int], list[str]]:
    """Turn each text into a number; return the numbers, and what went wrong."""
    tasks = [Task(int, text) for text in texts]
    for task in tasks:
        task.start()
    numbers, errors = [], []
    for task in tasks:  # ask every task: then none is left running, no error lost
        try:
            numbers.append(task.result())
        except ValueError as error:
            errors.append(str(error))
    return numbers, errors


def main() -> None:
    numbers, errors = parse_in_threads(["7", "seven"])
    assert numbers == [7]
    assert len(errors) == 1
    assert "'seven'" in errors[0]
    print(f"numbers {numbers}, errors {errors}")

    reports: list[str] = []

    def report(args: ExceptHookArgs) -> None:
        name = args.thread.name if args.thread else "a thread"
        reports.append(f"{name} died of {args.exc_type.__name__}: {args.exc_value}")

    old_hook = threading.excepthook
    threading.excepthook = report
    try:
        thread = Thread(target=int, args=("eight",), name="careless")
        thread.start()
        thread.join()
    finally:
        threading.excepthook = old_hook
    assert len(reports) == 1
    assert reports[0].startswith("careless died of ValueError")
    print(*reports)


def pitfall_try_around_join() -> None:
    """The exception is raised in the other thread, and the handler here never runs.

    Fails: exception
    """
    thread = Thread(target=int, args=("seven",))
    try:
        thread.start()
        thread.join()
    except ValueError:
        print("the number is wrong, using the default")


if __name__ == "__main__":
    main()
