"""Serve several worker processes at once, whichever speaks first, with wait().

Problem
-------
Some workers ask the main program for one of a few licences before they start their job.
Nobody knows who asks first. A worker that is refused, or that dies, ends; the main
program must notice this too, and must not wait for a worker that is gone.

Solution
--------
`multiprocessing.connection.wait(objects)` takes connections and process sentinels
together, and returns those that are ready. Serve exactly these, and wait again until
every connection is at its end and every process has been reaped.

How it works
------------
A connection is ready when `recv` would not wait: a message is there, or the end of the
file. One `recv` per readiness keeps the server fair, and it never blocks in `recv`.
`process.sentinel` is a number that is ready once the process has ended; `join` then
returns at once, and `exitcode` tells how.

The end of a worker shows twice: its connection reports end-of-file, its sentinel
becomes ready. They come in any order, and messages may still be unread when the
sentinel is ready. So the sentinel ends the wait for the *process*, and only end-of-file
the wait for its *messages*.

End-of-file comes only if no other process holds the worker's end. The main flow closes
its copy right after `start()`, before it starts the next worker: under fork that one
would inherit it.

The workers share a device, guarded by the lock `device`, and each asks while it holds
the lock. So a worker may be unable to ask until another one has been answered. The
server does not care: it waits for all. It ends because every worker asks once, is
answered, and ends.

Pitfalls
--------
`pitfall_fixed_order` receives from the first connection, then from the second. Let the
second worker get the lock first: it has asked and waits for its answer with the lock
held; the first waits for the lock; the server waits for the first. Nobody moves. On
an idle machine it mostly passes: the first to start is the first to ask. On a busy
one it hung here in some of the runs.

The main flow must keep `device`, though it never takes it. Under spawn and forkserver a
worker opens the lock by its name when it starts up, and the name is gone once the main
flow's object is collected: the worker would end with `FileNotFoundError`.

Watching the sentinels alone loses the last messages; watching the connections alone
misses a dead worker whose end somebody else still holds.

Cost
----
A call of `wait` sets up a selector for all of its objects: some tens of microseconds,
more with each object. With hundreds of connections keep one `selectors` object, or use
`asyncio`. If all messages are alike and no one needs an answer, one shared `Queue` is
simpler.

See also
--------
`messages/pipe` for end-of-file, `messages/request_reply` for a Queue of requests,
`processes/dead_worker` for pools, `processes/terminate` for exit codes.
"""

import sys
from multiprocessing import Lock, Pipe, Process
from multiprocessing.connection import Connection, wait
from multiprocessing.synchronize import Lock as LockType


def worker(server: Connection, device: LockType) -> None:
    """Ask for a licence while holding the device; end with status 1 if refused."""
    with server, device:
        server.send("a licence, please")
        if server.recv() != "granted":
            sys.exit(1)


def start_workers(count: int, device: LockType) -> dict[Connection, Process]:
    """Start `count` workers; return each with the main flow's end of its pipe."""
    started = {}
    for _ in range(count):
        near, far = Pipe()
        # A daemon: should the main flow fail, no worker waits for its answer for ever.
        process = Process(target=worker, args=(far, device), daemon=True)
        process.start()
        far.close()  # before the next start: that worker must not inherit it
        started[near] = process
    return started


def main(workers: int = 2, licences: int = 1) -> None:
    device = Lock()  # kept here: under spawn a worker opens it by name, when it starts up
    started = start_workers(workers, device)
    running = {process.sentinel: process for process in started.values()}
    open_ends = set(started)
    requests = 0
    exit_codes = []
    while open_ends or running:
        for ready in wait([*open_ends, *running]):
            if isinstance(ready, Connection):
                try:
                    ready.recv()
                    ready.send("granted" if requests < licences else "refused")
                    requests += 1
                except (EOFError, OSError):  # hung up, or gone before the answer
                    ready.close()
                    open_ends.remove(ready)
            elif isinstance(ready, int):
                process = running.pop(ready)
                process.join()
                exit_codes.append(process.exitcode)

    refused = max(workers - licences, 0)
    assert sorted(map(str, exit_codes)) == ["0"] * (workers - refused) + ["1"] * refused, exit_codes
    print(f"{workers} workers asked for {licences} licence(s): {refused} refused; all have ended")


def pitfall_fixed_order() -> None:
    """The server listens to the first worker while only the second one can speak.

    Fails: deadlock
    """
    device = Lock()
    started = start_workers(2, device)
    for connection, process in started.items():
        with connection:
            connection.recv()
            connection.send("granted")
        process.join()


if __name__ == "__main__":
    main()
