"""Give each thread a buffer of its own with threading.local.

Problem
-------
A function that is called millions of times needs a scratch buffer, a parser or a
connection. Making a new one for each call is slow; sharing one between threads mixes
up their data; passing one down changes the signature of every function in between.

Solution
--------
Derive a class from `threading.local` and make one module-level object of it. Its
attributes are different in each thread: a thread reads what that thread wrote.

How it works
------------
When a thread touches the object for the first time, `__init__` runs in that thread,
with the arguments that the constructor got, on a fresh `__dict__`. Every later access
by that thread goes to that `__dict__`. So `parts` needs no lock: no other thread can
reach it. When the thread ends, its values go with it.

Nobody waits for anybody, so it ends.

Pitfalls
--------
`pitfall_class_attribute` writes `parts = []` in the class body, not in `__init__`.
The attributes of the class are shared, as always: one thread clears the list while
another fills it, and the texts come out mixed.

`pitfall_set_in_one_thread` sets the attribute once, at the top, in the main thread.
In every other thread it doesn't exist: AttributeError.

`pitfall_left_behind` keeps the current user in a local and runs jobs in a pool. The
pool's thread lives on after the job; the next job of that thread has no user, and
finds the last one's. Set the value at the start of *every* job, and remove it in
`finally`.

Cost
----
An attribute of a local takes two to five times as long to read as a plain one; read it
into a variable before a loop. There is one buffer or connection for each thread that
ever touched it, and nobody closes them for you. If you can pass the object as an
argument, do: that is faster, and plain to see. A serial program needs none of this.

See also
--------
`threads/once` for one object that all threads share, `threads/thread_pool` for
threads that are used again, `processes/initializer` for one object in each process of
a pool. For a value that follows an `asyncio` task, see `contextvars` in the library.
"""

from concurrent.futures import ThreadPoolExecutor
from threading import Thread, local


class Scratch(local):
    """A list to build a text in, another one for each thread."""

    def __init__(self, separator: str) -> None:
        self.separator = separator
        self.parts: list[str] = []


def render(scratch: Scratch, name: str, fields: int) -> str:
    """Join `fields` numbered fields, using the scratch list and no other."""
    scratch.parts.clear()
    for number in range(fields):
        scratch.parts.append(f"{name}{number}")
    return scratch.separator.join(scratch.parts)


def render_all(scratch: Scratch, names: str, fields: int) -> dict[str, str]:
    """Render a text for each letter of `names`, each in a thread of its own."""
    texts: dict[str, str] = {}

    def worker(name: str) -> None:
        texts[name] = render(scratch, name, fields)

    threads = [Thread(target=worker, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return texts


def main(names: str = "ab", fields: int = 2) -> None:
    scratch = Scratch("-")
    texts = render_all(scratch, names, fields)

    for name in names:
        assert texts[name] == "-".join(f"{name}{number}" for number in range(fields)), texts
    assert scratch.parts == []  # the main thread has its own list, and never used it
    print(f"{len(texts)} threads shared one name and no data: {sorted(texts.values())}")


def pitfall_class_attribute() -> None:
    """A list in the class body is shared by all threads.

    Fails: assertion
    """

    class Shared(Scratch):
        parts: list[str] = []  # noqa: RUF012 - the mistake

        def __init__(self) -> None:
            self.separator = "-"

    texts = render_all(Shared(), "ab", 2)
    assert texts == {"a": "a0-a1", "b": "b0-b1"}, texts


def pitfall_set_in_one_thread() -> None:
    """An attribute that the main thread has set does not exist in another thread.

    Fails: exception
    """
    scratch = local()
    scratch.parts = []
    thread = Thread(target=lambda: scratch.parts.append("field"))
    thread.start()
    thread.join()


def pitfall_left_behind() -> None:
    """A pool's thread still has the last job's user when the next job starts.

    Fails: assertion
    """
    current = local()

    def log_in(user: str) -> None:
        current.user = user

    def whoami() -> str:
        return str(getattr(current, "user", "nobody"))

    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(log_in, "ann").result()
        user = pool.submit(whoami).result()
    assert user == "nobody", f"a job without a user ran as {user}"


if __name__ == "__main__":
    main()
