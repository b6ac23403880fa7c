"""See which += loses updates of a shared counter, and cure it with a Lock.

Problem
-------
Two threads count into one counter. Somebody says that `counter.value += 1` is not
safe; you try it a million times and not one update is lost. Is it safe?

Solution
--------
No. Hold a `Lock` from the load to the store. Do not trust a test that only ran: look
at what the statement consists of, and ask what may happen in between.

How it works
------------
`counter.value += 1` is three steps: load the value, add, store the sum. `dis` shows
them. If another thread stores between the load and the store, its update is
overwritten.

CPython does not switch threads anywhere it likes. Up to 3.9 it could switch before
almost every bytecode instruction; from 3.10 on it does so only at the start of a
Python function, after calls, and when a loop jumps back. In a bare `+= 1` on integers
there is no such place between load and store: the race is in the program, and the
interpreter does not show it. No rule of the language promises that, and a build
without the GIL runs both threads at the same instant. Put a call in between, and
there is a place: a function (`counter.value + one()`), a property, an `__iadd__` or
`__add__` written in Python, as `Fraction` and many others have.

`surely_lost` makes the unlucky order happen. The call between load and store lets the
other thread go, with one event, and waits with another until it has stored. So the
loss does not depend on luck. It ends because the main flow sets `loaded` before it
waits, and the other thread needs nothing else to go on and set `stored`.

In `main`, `lock` guards `counter.value`: the second thread's load must wait for the
first one's store.

Pitfalls
--------
`pitfall_bare_increment`: both threads load 0, both store 1. Possible by the
language's rules, and not seen on the usual builds of CPython 3.10 to 3.13.

`pitfall_property` hides the counter behind a property, perhaps to guard it one day.
The `+=` looks the same and is now two method calls: thread A has got 0 from the
getter, thread B does its whole `+=`, then A's setter stores 1. A lock in the getter
and another in the setter would not help: it must be held over both.

Cost
----
An increment under a free lock takes five to ten times as long as a bare one, and
longer if threads fight for it. For counting alone a serial loop wins. Where threads
are needed for other work, let each count in a local variable, and add the sums at the
end.

See also
--------
`threads/lock` for decisions under a lock, `threads/results` for a slot of its own for
each thread, `introduction/gil_switching` for when CPython switches,
`processes/value_array` for the same fault between processes.
"""

import dis
from collections.abc import Callable
from threading import Event, Lock, Thread
from types import SimpleNamespace

STATEMENTS = (
    "counter.value += 1",
    "counter.value += one()",
    "counter.value = counter.value + one()",
)


def run_together(work: Callable[[], None], times: int = 2) -> None:
    """Run `work` in `times` threads at once, and wait until all have ended."""
    threads = [Thread(target=work) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def lost_updates(statement: str, times: int) -> int:
    """Run `statement` `times` times in each of two threads; return how many had no effect."""
    counter = SimpleNamespace(value=0)
    loop = compile(f"for _ in range({times}): {statement}", "<measured>", "exec")
    run_together(lambda: exec(loop, {"counter": counter, "one": lambda: 1}))  # noqa: S102 - ours
    return 2 * times - int(counter.value)


def surely_lost() -> int:
    """Let another thread add between a load and its store; return how many updates are lost."""
    counter = SimpleNamespace(value=0)
    loaded, stored = Event(), Event()

    def other() -> None:
        loaded.wait()
        counter.value += 1
        stored.set()

    def one() -> int:  # called after `counter.value` was loaded
        loaded.set()
        stored.wait()
        return 1

    thread = Thread(target=other)
    thread.start()
    counter.value = counter.value + one()
    thread.join()
    return 2 - int(counter.value)


def main(increments: int = 2, measured: int = 2) -> None:
    code = compile(STATEMENTS[0], "<shown>", "exec")
    steps = [instruction.opname for instruction in dis.get_instructions(code)]
    load, store = steps.index("LOAD_ATTR"), steps.index("STORE_ATTR")
    assert load < store
    print(f"{STATEMENTS[0]} is", *steps[load : store + 1])

    lost = surely_lost()
    assert lost == 1
    print(f"with the other thread's update between load and store: lost {lost} of 2")

    for statement in STATEMENTS:
        lost = lost_updates(statement, measured)
        assert 0 <= lost < 2 * measured
        print(f"{statement}: this time lost {lost} of {2 * measured}")

    lock, counter = Lock(), SimpleNamespace(value=0)  # `lock` guards `counter.value`

    def count() -> None:
        for _ in range(increments):
            with lock:
                counter.value += 1

    run_together(count)
    assert counter.value == 2 * increments
    print(f"under a lock: lost {2 * increments - counter.value} of {2 * increments}")


def pitfall_bare_increment() -> None:
    """Both threads may load the same value before either stores.

    Fails: assertion
    """
    counter = SimpleNamespace(value=0)

    def increment() -> None:
        counter.value += 1

    run_together(increment)
    assert counter.value == 2, counter.value


def pitfall_property() -> None:
    """The getter and the setter are two calls, with room for the other thread between them.

    Fails: assertion
    """

    class Visits:
        _count = 0

        @property
        def count(self) -> int:
            return self._count

        @count.setter
        def count(self, count: int) -> None:
            self._count = count

    visits = Visits()

    def visit() -> None:
        visits.count += 1

    run_together(visit)
    assert visits.count == 2, visits.count


if __name__ == "__main__":
    main(measured=150_000)
