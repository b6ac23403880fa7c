"""Queue, LifoQueue, PriorityQueue and SimpleQueue under exhaustive search."""

from __future__ import annotations

import sys

import pytest

from exploring import Claim, Claims, Modules, agree

programs = Claims()


@programs(1, "finished [None, 7]")
def one_put_and_one_get(m: Modules) -> object:
    """A get needs the put: there is one order."""
    queue = m.queue.Queue()
    return m.together(lambda: queue.put(7), queue.get)


@programs(None, "finished [None, None, ['a', 'b']]", "finished [None, None, ['b', 'a']]")
def two_producers(m: Modules) -> object:
    """Their items come in either order."""
    queue = m.queue.Queue()
    return m.together(
        lambda: queue.put("a"), lambda: queue.put("b"), lambda: [queue.get(), queue.get()]
    )


@programs(None, "finished [None, 1, 2]", "finished [None, 2, 1]")
def two_consumers(m: Modules) -> object:
    """Either gets the first item."""
    queue = m.queue.SimpleQueue()

    def produce() -> None:
        queue.put(1)
        queue.put(2)

    return m.together(produce, queue.get, queue.get)


@programs(1, "finished [None, [1, 2, 3]]")
def a_full_queue_blocks(m: Modules) -> object:
    """With room for one item, puts and gets have to take turns."""
    queue = m.queue.Queue(1)

    def produce() -> None:
        for item in (1, 2, 3):
            queue.put(item)

    return m.together(produce, lambda: [queue.get() for _ in range(3)])


@programs(None, "finished [None, 1]", "finished [None, 'Empty']")
def a_timed_get(m: Modules) -> object:
    """It is in time or not."""
    queue = m.queue.Queue()
    return m.together(lambda: queue.put(1), lambda: queue.get(timeout=1))


@programs(
    None,
    "finished [None, 'Full', 1]",
    "finished ['Full', None, 2]",
    "finished [None, None, 1]",
    "finished [None, None, 2]",
)
def two_tries_to_put(m: Modules) -> object:
    """The second finds the queue full, unless the get came between."""
    queue = m.queue.LifoQueue(1)
    return m.together(lambda: queue.put_nowait(1), lambda: queue.put_nowait(2), queue.get)


@programs(None, "finished [None, None, [1, 2]]", "finished [None, None, [2, 1]]")
def priorities(m: Modules) -> object:
    """The smallest of those that are there comes first."""
    queue = m.queue.PriorityQueue()
    return m.together(
        lambda: queue.put(1), lambda: queue.put(2), lambda: [queue.get(), queue.get()]
    )


@programs(None, "finished [[2], None, None]")
def join_waits_for_all_tasks(m: Modules) -> object:
    """It returns when each item has been dealt with."""
    queue = m.queue.Queue()
    done: list[int] = []
    lock = m.threading.Lock()

    def produce() -> object:
        queue.put(1)
        queue.put(2)
        queue.join()
        return [len(done)]

    def work() -> None:
        with lock:
            done.append(queue.get())
        queue.task_done()

    return m.together(produce, work, work)


@programs(2, "finished [None, 'ValueError']", "finished ['ValueError', None]")
def too_many_tasks_done(m: Modules) -> object:
    """The second of two is refused."""
    queue = m.queue.Queue()
    queue.put(1)
    return m.together(queue.task_done, queue.task_done)


@programs(1, "finished [0, True, False]")
def looks_at_a_queue(m: Modules) -> object:
    """Looks do not conflict."""
    queue = m.queue.Queue(2)
    return m.together(queue.qsize, queue.empty, queue.full)


@programs(None)
def looks_beside_puts_and_gets(m: Modules) -> object:
    """What they see depends on the order."""
    queue = m.queue.Queue()
    return m.together(lambda: queue.put(1), lambda: [queue.qsize(), queue.empty()], queue.get)


@programs(None)
def items_that_synchronise_when_compared(m: Modules) -> object:
    """While a comparison runs, the queue is shut, and then somebody else can go on."""
    queue = m.queue.PriorityQueue()
    lock = m.threading.Lock()

    class Item:
        def __init__(self, value: int) -> None:
            self.value = value

        def __lt__(self, other: Item) -> bool:
            with lock:
                return self.value < other.value

    return m.together(
        lambda: queue.put(Item(2)),
        lambda: queue.put(Item(1)),
        lambda: [queue.get().value, queue.get().value],
    )


@programs(None)
def a_subclass_with_steps_of_its_own(m: Modules) -> object:
    """Nobody else is in the queue while an overridden method runs."""
    event = m.threading.Event()

    class Slow(m.queue.Queue):  # type: ignore[misc, name-defined]
        inside = 0

        def _put(self, item: object) -> None:
            Slow.inside += 1
            assert Slow.inside == 1
            event.is_set()
            super()._put(item)
            Slow.inside -= 1

    queue = Slow()
    return m.together(lambda: queue.put(1), lambda: queue.put(2), queue.empty)


@programs(None, "finished [None, 'Empty']", "finished [None, 1]")
def the_mutex(m: Modules) -> object:
    """Who holds it may change what the queue holds."""
    queue = m.queue.Queue()
    queue.put(1)

    def drop() -> None:
        with queue.mutex:
            queue.queue.clear()

    return m.together(drop, queue.get_nowait)


@programs.parametrize()
def test_dfs_and_dpor_find_the_same(claim: Claim) -> None:
    """Both searches find the claimed outcomes, DPOR in the claimed number of executions."""
    claim.check()


@pytest.mark.skipif(sys.version_info < (3, 13), reason="Queue.shutdown is new in 3.13")
def test_shutdown_ends_those_who_wait() -> None:
    """A get that finds nothing after a shutdown raises ShutDown; what was put before is handed out."""

    def program(m: Modules) -> object:
        queue = m.queue.Queue()
        return m.together(lambda: queue.put(1), queue.get, queue.shutdown)

    assert agree(program).outcomes == {
        "finished [None, 1, None]",
        "finished ['ShutDown', 'ShutDown', None]",
    }


@pytest.mark.skipif(sys.version_info < (3, 13), reason="Queue.shutdown is new in 3.13")
def test_an_immediate_shutdown_drops_the_items_and_ends_the_join() -> None:
    """Dropped items count as dealt with."""

    def program(m: Modules) -> object:
        queue = m.queue.Queue()
        queue.put(1)
        return m.together(queue.join, queue.get, lambda: queue.shutdown(immediate=True))

    assert agree(program).outcomes == {"deadlock", "finished [None, 'ShutDown', None]"}


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="there it exists")
def test_there_is_no_shutdown_before_3_13() -> None:
    """A program that needs it fails as it would in life."""

    def program(m: Modules) -> object:
        return hasattr(m.queue.Queue, "shutdown") or hasattr(m.queue, "ShutDown")

    assert agree(program).outcomes == {"finished False"}
