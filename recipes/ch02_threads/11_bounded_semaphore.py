"""Let at most N threads use a server at once, with a BoundedSemaphore.

Problem
-------
A database accepts a few connections and refuses the next. The program has more
threads than that, and each of them needs the database now and then.

Solution
--------
Make one `BoundedSemaphore(limit)`, and enter it with a `with` block around each use
of the database. It lets `limit` threads in; the next one waits at the door until
somebody leaves.

How it works
------------
A semaphore is a count of free places. `acquire` takes one, and waits while there is
none; `release` gives one back and wakes one waiter. It has no owner: any thread may
release, and a plain `Semaphore` takes every release as one more place. The bounded
one remembers the number it started with, and raises ValueError when a release would
go beyond it. So the mistake comes to light, at the latest when the last place is given
back, though perhaps in another thread than the guilty one.

The semaphore limits how many are inside; it does not guard what they share. That is
why `Server` has a `lock` of its own for its two counters.

It ends because a thread holds a place only while it works, and then gives it back,
after an exception too. Inside, it takes the server's lock twice, never for long.

Pitfalls
--------
`pitfall_release_without_acquire` gives up after a time-out, but its `finally`
releases all the same. One client is inside; the second gives up and "returns" a place
that it never had; the third walks in beside the first. The limit was 1, and the plain
`Semaphore` says nothing. Acquire *before* the `try`, or leave it to `with`.

`pitfall_nested_places` needs a second place while it holds the first. With two places
and two clients, each takes one and waits for the other's. Take all that a job needs
before it starts, or one place for the whole job.

Cost
----
A semaphore is a Condition written in Python: a few microseconds for each entry when
there is room. Beside a query to a database that is nothing; around a few lines of
arithmetic it costs more than the work. Where the threads exist only to do these jobs,
a pool of N threads is the simpler limit.

See also
--------
`threads/thread_pool` for a limit on the threads themselves, `threads/work_queue` to
hand out the connections, not only permissions, `synchronisation/semaphore` for
processes.
"""

from collections.abc import Callable
from threading import BoundedSemaphore, Lock, Semaphore, Thread


class Server:
    """Counts who is inside. `lock` guards `inside` and `most`."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.inside = 0
        self.most = 0

    def serve(self) -> None:
        """Let one client in and out again."""
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        # here the query would run: the lock is free, the place is taken
        with self.lock:
            self.inside -= 1


def run_together(work: Callable[[], None], times: int) -> None:
    """Run `work` in `times` threads at once, and wait until all have ended."""
    threads = [Thread(target=work) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(clients: int = 3, limit: int = 2) -> None:
    server = Server()
    places = BoundedSemaphore(limit)

    def client() -> None:
        with places:
            server.serve()

    run_together(client, clients)

    assert server.most <= limit, server.most
    assert server.inside == 0, server.inside
    print(f"{clients} clients, {limit} places, most clients inside at once: {server.most}")

    try:
        places.release()  # all places are free already
    except ValueError as error:
        print(f"a release too many: {error}")
    else:
        raise AssertionError("the release too many was not noticed")


def pitfall_release_without_acquire() -> None:
    """A client that gave up releases a place that it never had, and the limit is gone.

    Fails: assertion
    """
    server = Server()
    places = Semaphore(1)

    def client() -> None:
        try:
            if places.acquire(timeout=0.01):
                server.serve()
        finally:
            places.release()

    run_together(client, 3)
    assert server.most == 1, f"{server.most} were inside"


def pitfall_nested_places() -> None:
    """Each client holds one place and waits for a second.

    Fails: deadlock
    """
    places = BoundedSemaphore(2)

    def client() -> None:
        with places, places:
            pass

    run_together(client, 2)


if __name__ == "__main__":
    main()
