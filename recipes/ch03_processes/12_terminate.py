"""End a process that does not end by itself, and read how it ended.

Problem
-------
A worker hangs in a foreign library, or serves requests until you stop it. The program
must end, in bounded time, with no process left behind, and tell what happened.

Solution
--------
First `terminate`: it sends SIGTERM, which a process may handle, or ignore. `join` with
a time-out. If the process is still alive, `kill`: it sends SIGKILL, which cannot be
ignored. `join` again. Mark processes that only serve this program as `daemon=True`:
they end with their parent.

How it works
------------
| exit code | how it ended |
|---|---|
| None | not at all, yet |
| 0 | its function returned |
| 1 | an uncaught exception, or `sys.exit("a message")` |
| n | `sys.exit(n)` |
| -n | signal n: -15 is SIGTERM, -9 is SIGKILL |

A process that has ended stays in the system's table as a *zombie*, with no memory
but with its exit code, until its parent asks for it. `join` asks. So do `exitcode`,
`is_alive`, and the next `start`, which also reaps other children that have ended.
Under `forkserver` the server is the parent, and asks at once.

When `service` exits, `multiprocessing` terminates its daemons and joins the rest of
its children. The main flow proves it: the daemon holds the only sending end of `pulse`
that is left, so `recv` raises EOFError when the daemon is gone, and not before.

`stop` ends: the first `join` by its time-out at the latest, the second because nothing
survives SIGKILL. `serve` says through its pipe that it is ready before anybody stops it.

Pitfalls
--------
`pitfall_terminated_with_the_lock` terminates a worker that holds a lock. SIGTERM ends
the process where it stands: no `finally`, no `with` block, no release. The next one
to acquire the lock waits for ever. The same holds for a `Queue`, which has locks
inside. Terminate only what shares nothing, or ask it through an `Event` to leave.

A daemon is ended in the same way, in the middle of whatever it does. It may not have
children of its own: `start` raises AssertionError.

Cost
----
Stopping costs the time-out where a process is stubborn, a millisecond where it is not.
A serial loop is stopped by a `break`.

See also
--------
`processes/dead_worker` for workers that die unasked, `processes/interrupt` for Ctrl-C,
`synchronisation/event` to ask a process to leave, `threads/shutdown`: a thread cannot
be terminated at all.
"""

import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing import Lock, Pipe, Process
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Lock as LockType


def stop(process: Process, grace_s: float) -> int | None:
    """End the process, politely for `grace_s` seconds; reap it, return its exit code."""
    process.terminate()
    process.join(grace_s)
    if process.is_alive():
        process.kill()
        process.join()
    return process.exitcode


def serve(on_terminate: signal.Handlers, ready: Connection) -> None:
    """Serve until somebody ends this process."""
    signal.signal(signal.SIGTERM, on_terminate)
    ready.send("ready")
    threading.Event().wait()


def service(exit_code: int, pulse: Connection) -> None:
    """Start a daemon, and leave while it runs."""
    Process(target=serve, args=(signal.SIG_DFL, pulse), daemon=True).start()
    sys.exit(exit_code)


def start(target: Callable[..., None], argument: object) -> tuple[Process, Connection]:
    """Start `target(argument, sender)`; only the new process holds that sender."""
    receiver, sender = Pipe(duplex=False)
    process = Process(target=target, args=(argument, sender))
    process.start()
    sender.close()
    return process, receiver


def main(grace_s: float = 0.1) -> None:
    for on_terminate in (signal.SIG_DFL, signal.SIG_IGN):
        server, ready = start(serve, on_terminate)
        with ready:
            assert ready.recv() == "ready"
        exit_code = stop(server, grace_s)
        stubborn = on_terminate == signal.SIG_IGN
        # A polite one that needs longer than `grace_s` is killed as well.
        assert exit_code == -signal.SIGKILL or not stubborn, exit_code
        assert exit_code in {-signal.SIGTERM, -signal.SIGKILL}, exit_code
        kind = "a stubborn" if stubborn else "a polite"
        print(f"{kind} server ended with {exit_code}, {signal.Signals(-exit_code).name}")

    parent, pulse = start(service, 3)
    with pulse:
        try:
            while pulse.recv():
                pass
        except EOFError:
            print("the daemon went with its parent")
    parent.join()
    assert parent.exitcode == 3, parent.exitcode
    print(f"sys.exit(3) gave the exit code {parent.exitcode}")


def hold(lock: LockType, ready: Connection) -> None:
    with lock:
        ready.send("I have it")
        threading.Event().wait()


def pitfall_terminated_with_the_lock() -> None:
    """The holder of a lock is terminated, and the lock stays locked for ever.

    Fails: deadlock
    """
    lock = Lock()
    holder, ready = start(hold, lock)
    with ready:
        ready.recv()
    holder.terminate()
    holder.join()
    with lock:
        print("the lock is free")


if __name__ == "__main__":
    main()
