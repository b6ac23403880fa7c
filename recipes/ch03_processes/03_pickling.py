"""Make what you send to a process picklable, and know what never is.

Problem
-------
A program hands an object to a process and stops with "cannot pickle
'_thread.lock' object", or "Can't pickle local object". Or worse, the object is
sent without complaint, and cannot be rebuilt on arrival.

Solution
--------
Send plain data, and functions and classes that stand at the top level of a
module. Where an object holds something that belongs to one process, such as a
thread's lock or an open file, leave it out in `__getstate__` and make it anew in
`__setstate__`. Where the constructor takes other arguments than pickle would pass,
say in `__reduce__` how to build a copy.

How it works
------------
A pickle holds data and *names*. A function is stored as module and name, and
looked up again on arrival. A lambda or an inner function has no name that an import
could find. A lock, an open file or a generator is a piece of one process.

What is pickled: each item and each result of a pool and each message, always; the
target and arguments of a `Process` under `spawn` and `forkserver`. Under `fork`
they are inherited unpickled, so a lambda as target works there, and only there.

`Prices.__getstate__` copies `__dict__` before it drops the lock: the sender goes
on using its own. The copy has a lock of its own, which guards nothing for the
sender. An exception pickles as its class and its `args`, and is rebuilt by calling
the class with them; `BadRow.__reduce__` passes the two that `__init__` wants.

The parent waits in `recv` for the child, the child waits for nobody.

Pitfalls
--------
`pitfall_lambda` gives a lambda to `Pool.map`. The pool cannot pickle the task, and
`map` raises AttributeError up to Python 3.13, PicklingError after.

`pitfall_exception_with_two_arguments` has an `__init__` of two arguments that
passes *one* on to `super().__init__`. It is pickled without complaint, as the class
and one argument. On arrival the class is called with one, and `recv` raises TypeError.
In a `Pool` this happens in the thread that collects results: it dies of it, and
`map` waits for ever.

Cost
----
Pickling copies, at both ends. If the work on an object takes less time than the
copy, a serial loop wins. Send the name of a file, not what is in it.

See also
--------
`processes/start_methods` for when arguments are pickled, `processes/initializer`
to give a lock to a pool's workers, `processes/shared_block` to share without copies.
"""

import pickle
from multiprocessing import Pipe, Pool, Process
from multiprocessing.connection import Connection
from threading import Lock
from typing import Any


class Prices:
    """Prices that threads may look up at once. `lock` guards `lookups`."""

    def __init__(self, prices: dict[str, int]) -> None:
        self.prices = prices
        self.lookups = 0
        self.lock = Lock()

    def price(self, name: str) -> int:
        """Return the price, and count that somebody asked."""
        with self.lock:
            self.lookups += 1
        return self.prices[name]

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        del state["lock"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.lock = Lock()


class BadRow(Exception):  # noqa: N818 - named for what it is about
    """A row that cannot be read; says which and why."""

    def __init__(self, row: int, why: str) -> None:
        super().__init__(f"row {row}: {why}")
        self.row, self.why = row, why

    def __reduce__(self) -> tuple[type["BadRow"], tuple[int, str]]:
        return type(self), (self.row, self.why)


def is_picklable(thing: object) -> bool:
    try:
        pickle.dumps(thing)
    except (pickle.PicklingError, AttributeError, TypeError):  # it depends on the thing
        return False
    return True


def look_up(prices: Prices, sender: Connection) -> None:
    with sender:
        sender.send(prices.price("tea"))
        sender.send(BadRow(2, "no price"))


def main() -> None:
    never = {"a lambda": lambda: 0, "a lock": Lock(), "a generator": (n for n in (1, 2))}
    for name, thing in never.items():
        assert not is_picklable(thing), name
    assert is_picklable(look_up)

    prices = Prices({"tea": 3})
    receiver, sender = Pipe(duplex=False)
    process = Process(target=look_up, args=(prices, sender))
    process.start()
    sender.close()
    with receiver:
        price, bad_row = receiver.recv(), receiver.recv()
    process.join()

    assert price == 3, price
    assert prices.lookups == 0, "the child counted in its own copy"
    assert (bad_row.row, str(bad_row)) == (2, "row 2: no price"), bad_row
    print(f"the child's copy says that tea costs {price}; it reports {bad_row!r}")
    print(f"not picklable: {', '.join(never)}")


def pitfall_lambda() -> None:
    """A pool pickles its tasks, and a lambda has no name to pickle.

    Fails: exception
    """
    with Pool(1) as pool:
        pool.map(lambda n: n * n, [1, 2])


class FragileBadRow(Exception):  # noqa: N818 - as BadRow
    """Takes two arguments, and tells pickle of one."""

    def __init__(self, row: int, why: str) -> None:
        super().__init__(f"row {row}: {why}")


def pitfall_exception_with_two_arguments() -> None:
    """The exception is pickled without complaint, and cannot be rebuilt on arrival.

    Fails: exception
    """
    message = pickle.dumps(FragileBadRow(2, "no price"))  # what `send` does, in the child
    pickle.loads(message)  # what `recv` does, in the parent


if __name__ == "__main__":
    main()
