"""Know what a child process sees under each start method, and write for all.

Problem
-------
A program reads its settings, puts them into a global variable and starts workers.
It works on your Linux machine. On a colleague's Mac, or after an upgrade to
Python 3.14, the workers run with the default settings, and nobody says why.

Solution
--------
Write for `spawn`, which promises least: everything that a child needs goes in as
an argument, targets are top-level functions, and all that *does* something at the
top level of the main file stands under `if __name__ == "__main__":`. Such a
program works with every method. Choose one with `get_context(method)` and use the
`Process`, `Pool`, `Queue` and `Lock` of that context together.

How it works
------------
| method | the child's memory | default on |
|---|---|---|
| `fork` | a copy of the parent's, at the moment of `start` | Linux, up to 3.13 |
| `spawn` | a new interpreter that imports your main file again | macOS, Windows |
| `forkserver` | a fork of a small server that never saw your variables | Linux, from 3.14 |

Only a forked child has what the parent assigned after the import. The others
import the module and find `setting` as it stands in the file, while the argument
arrives everywhere, since it is pickled and sent. The parent waits in `recv` for
one child at a time, and the child waits for nobody.

Under `spawn` and `forkserver` the child imports the main file under the name
`__mp_main__`, so the guarded part does not run again. Without the guard the child
would reach the line that starts a child. Python stops it there: "RuntimeError: An
attempt has been made to start a new process before the current process has
finished its bootstrapping phase".

Pitfalls
--------
`pitfall_module_state` assigns to a global and starts a child that reads it. The
parent's assignment comes first in time, and still the child never sees it: it
reads the value that its own import made. Under `fork` the same code works, which
is why the fault shows only on another machine.

Mixing contexts is another: a `Lock` of the fork context cannot be given to a
process of the spawn context; that raises RuntimeError.

Cost
----
This program prints what a start costs on your machine by each method. The first
start by `forkserver` pays for starting the server, too; later ones are quicker. Even
a fork takes milliseconds, time enough for many thousand rounds of a serial loop.

See also
--------
`synchronisation/fork_lock` for why the default is no longer `fork`,
`processes/pickling` for what can be an argument, `processes/initializer` to give
each worker of a pool its settings once.
"""

from multiprocessing import get_all_start_methods, get_context
from multiprocessing.connection import Connection
from time import perf_counter

setting = "as imported"


def report(argument: str, sender: Connection) -> None:
    with sender:
        sender.send((setting, argument))


def ask_child(method: str, argument: str) -> tuple[str, str]:
    """Start a child by `method`; return the global and the argument that it saw."""
    context = get_context(method)
    receiver, sender = context.Pipe(duplex=False)
    # The type that `get_context` declares for a str has no Process; the object has.
    child = context.Process(target=report, args=(argument, sender))  # type: ignore[attr-defined]
    child.start()
    sender.close()
    with receiver:
        seen: tuple[str, str] = receiver.recv()
    child.join()
    return seen


def main() -> None:
    global setting
    setting = "changed by the parent"
    for method in get_all_start_methods():
        start = perf_counter()
        seen_global, seen_argument = ask_child(method, setting)
        milliseconds = 1000 * (perf_counter() - start)

        inherits = method == "fork"
        assert seen_global == (setting if inherits else "as imported"), (method, seen_global)
        assert seen_argument == setting, (method, seen_argument)
        print(f"{method}: the global is {seen_global!r}, the argument {seen_argument!r}")
        print(f"  (from start to answer, for the first child: {milliseconds:.0f} ms)")


def pitfall_module_state() -> None:
    """A spawned child reads the global that its own import made.

    Fails: assertion
    """
    global setting
    setting = "changed by the parent"
    seen_global, _ = ask_child("spawn", "unused")
    assert seen_global == setting, f"the child's setting is {seen_global!r}"


if __name__ == "__main__":
    main()
