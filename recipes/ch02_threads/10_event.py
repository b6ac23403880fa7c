"""Announce with an Event that something is ready, and stays ready.

Problem
-------
The workers of a service start at once, but none may serve before the settings are
loaded. Some workers arrive early and must wait; some arrive late and must not.

Solution
--------
Write the settings first, then call `Event.set()`, once. Every worker calls `wait()`
before it reads them. Where it must not wait for ever, it passes a time-out and looks
at what `wait` returns.

How it works
------------
An Event is a flag with a waiting room. `set()` raises the flag and lets everybody go;
`wait()` returns True at once when the flag is up. Because the flag stays up, it
doesn't matter who comes first: the early worker is woken, the late one walks through.
The same is true of a start signal for many threads, and of a request to stop.

No lock guards `values`, and none is needed: they are written before `set()`, read
after `wait()`, and never written again. It ends because the loader waits for nobody
and sets the flag after its last write.

`wait(timeout)` returns False when the time is up and the flag still down.

Pitfalls
--------
`pitfall_pulse` calls `set()` and then `clear()`, to wake those who wait now. A worker
that was started but has not reached `wait()` yet comes after the pulse, finds the
flag down, and waits for ever. Where the same announcement comes again and again,
count the rounds under a `Condition`, or hand each one out through a queue.

`pitfall_unread_answer` waits with a time-out and doesn't look at the answer. If the
loader is slow, the worker goes on without settings, and fails with a KeyError.

`pitfall_set_too_early` raises the flag before the last write. The worker may run
between the two lines.

Cost
----
`set()` and `wait()` each take a lock for a moment: about a microsecond when nobody
has to sleep. `is_set()` only reads the flag. Never poll it in a loop: the loop takes
the processor from the very thread it waits for. If all work starts after the loading
anyway, load first and start the threads then: no Event is needed.

See also
--------
`threads/shutdown` for an Event as a request to stop, `threads/once` to load on first
use, `threads/condition` for a state that comes and goes, `synchronisation/event` for
processes.
"""

from collections.abc import Callable
from threading import Event, Thread


class Settings:
    """Values that are complete for good once `loaded` is set, and not to be read before."""

    def __init__(self) -> None:
        self.loaded = Event()
        self.values: dict[str, int] = {}

    def load(self) -> None:
        """Fill in the values, then tell everybody."""
        self.values["port"] = 8080
        self.loaded.set()

    def port(self, timeout_s: float | None = None) -> int | None:
        """Wait for the settings and return the port, or None if they did not come in time."""
        if not self.loaded.wait(timeout_s):
            return None
        return self.values["port"]


def while_others_wait(announce: Callable[[], None], worker: Callable[[], object], n: int) -> None:
    """Call `announce` while `n` threads run `worker`, and wait until all have ended."""
    threads = [Thread(target=worker) for _ in range(n)]
    for thread in threads:
        thread.start()
    announce()
    for thread in threads:
        thread.join()


def main(workers: int = 2) -> None:
    settings = Settings()
    assert settings.port(timeout_s=0.01) is None  # nobody is loading yet

    ports: list[int | None] = []
    while_others_wait(settings.load, lambda: ports.append(settings.port()), workers)

    assert ports == [8080] * workers, ports
    assert settings.port(timeout_s=0) == 8080  # the flag stays up: who comes late need not wait
    print(f"{workers} workers waited for the settings and read port {ports[0]}")


def pitfall_pulse() -> None:
    """A worker that comes after the pulse waits for ever.

    Fails: deadlock
    """
    go = Event()

    def pulse() -> None:
        go.set()
        go.clear()

    while_others_wait(pulse, go.wait, 2)


def pitfall_unread_answer() -> None:
    """The time is up, the settings are not there, and the worker reads them all the same.

    Fails: exception
    """
    settings = Settings()
    ports: list[int] = []

    def worker() -> None:
        settings.loaded.wait(timeout=0.01)
        ports.append(settings.values["port"])

    while_others_wait(settings.load, worker, 1)


def pitfall_set_too_early() -> None:
    """The flag goes up before the value is there.

    Fails: exception
    """
    settings = Settings()

    def load() -> None:
        settings.loaded.set()
        settings.values["port"] = 8080

    while_others_wait(load, settings.port, 1)


if __name__ == "__main__":
    main()
