"""Build an expensive object once, on first use, however many threads ask for it.

Problem
-------
A table takes a second to build, and many runs never need it. So it is built on first
use. Then two threads ask for the first time at the same moment: the table is built
twice, and each of them holds, and perhaps changes, a table of its own.

Solution
--------
Hold a lock from "is it there?" until it is stored. Whoever comes during the building
waits, and gets the same object.

How it works
------------
`lock` guards `made`. The first thread in finds nothing, builds, stores and leaves;
every later one finds the object. If `build` raises, nothing is stored and the next
caller tries again.

It ends because each caller takes one lock, once, and the building waits for nobody
who might want the same lock. (A `build` that calls `get` on the same object would
wait for itself: the lock is not re-entrant.)

*Do I need the lock after it is built?* You may look first without it, then again with
it: "double-checked locking". In CPython that is right, with and without the GIL, as
long as one assignment publishes a *finished* object: a reference is read and written
whole. It saves a fraction of a microsecond. Begin with the plain lock.

The simplest "once" is a module: the import lock lets one thread execute it, the
others wait.

Pitfalls
--------
`pitfall_built_twice` has no lock. Thread A sees nothing and begins to build; B sees
nothing either. Run it a thousand times and it may pass each time: the gap is a few
bytecodes wide. It opens when building takes long, which is when it costs most.

`pitfall_cache` trusts `functools.cache` to call the function once. The cache itself is
safe to share, but it holds no lock during the call: two threads that find nothing both
build. The same is true of `functools.cached_property` since Python 3.12.

`pitfall_published_unfinished` looks first without the lock, and stores the object
before it is filled. Another thread finds it in between and uses it empty.

Cost
----
A free lock and a test: well under a microsecond for each `get`. Call it once and keep
the result in a variable where that counts. If the object is always needed, build it
before the threads start: no lock, no wait, and errors come early.

See also
--------
`threads/lock` for "check then act" at large, `threads/event` for something that is
made ready elsewhere, `threads/local_data` for one object for each thread.
"""

import functools
from collections.abc import Callable
from threading import Lock, Thread

Table = dict[str, int]


class Once:
    """Calls `build` at the first `get`, and never again. `lock` guards `made`."""

    def __init__(self, build: Callable[[], Table]) -> None:
        self.lock = Lock()
        self.build = build
        self.made: Table | None = None

    def get(self) -> Table:
        """Return the one object; wait while another thread builds it."""
        with self.lock:
            if self.made is None:
                self.made = self.build()
            return self.made


def ask_together(get: Callable[[], Table], times: int) -> list[Table]:
    """Call `get` in `times` threads at once; return what each got."""
    got: list[Table] = []
    threads = [Thread(target=lambda: got.append(get())) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def main(threads: int = 2) -> None:
    built: list[Table] = []

    def build() -> Table:
        built.append({"answer": 42})
        return built[-1]

    got = ask_together(Once(build).get, threads)

    assert len(built) == 1, f"built {len(built)} times"
    assert len(got) == threads, got
    assert all(table is built[0] for table in got)
    print(f"{threads} threads asked, {len(built)} object built: all got the same one")


def pitfall_built_twice() -> None:
    """Two threads see that nothing is there, and both build.

    Fails: assertion
    """
    made: Table | None = None

    def get() -> Table:
        nonlocal made
        if made is None:
            made = {"answer": 42}
        return made

    first, second = ask_together(get, 2)
    assert first is second, "two threads have two tables"


def pitfall_cache() -> None:
    """Two threads miss in the cache, and both call the function.

    Fails: assertion
    """
    built: list[int] = []

    @functools.cache
    def get() -> Table:
        built.append(1)
        return {"answer": 42}

    ask_together(get, 2)
    assert len(built) == 1, f"built {len(built)} times"


def pitfall_published_unfinished() -> None:
    """The object is stored before it is filled, and another thread uses it empty.

    Fails: exception
    """
    lock = Lock()
    made: Table | None = None

    def get() -> Table:
        nonlocal made
        if made is None:
            with lock:
                if made is None:
                    made = {}
                    made["answer"] = 42
        return {"answer": made["answer"]}

    ask_together(get, 2)


if __name__ == "__main__":
    main()
