"""Small synchronisation primitives on the bare kernel, for tests of the search alone.

They are written apart from `parallel_cookbook.simulation`, and more freely: what matters here is that
they use the kernel in every way that it offers (several targets at once, READ and WRITE, needs).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parallel_cookbook.kernel import Kernel, Mode, Operation, Target, Task, active_kernel

if TYPE_CHECKING:
    from collections.abc import Callable


def _is_free(state: int) -> bool:
    return state == 0


def _is_positive(state: int) -> bool:
    return state > 0


class Primitive:
    """Something that tasks meet at: one target, made by the running task."""

    kind = "primitive"

    def __init__(self, state: int = 0, name: str = "") -> None:
        self.kernel: Kernel = active_kernel()
        self.target = self.kernel.new_target(self.kind, state, name)

    def point(self, kind: str, mode: Mode = Mode.WRITE) -> None:
        """Perform an operation that never blocks."""
        self.kernel.point(Operation(kind, self.target, mode))


class Variable(Primitive):
    """A shared variable: its loads do not conflict with one another."""

    kind = "variable"

    def __init__(self, value: int = 0, name: str = "") -> None:
        super().__init__(0, name)
        self.value = value

    def load(self) -> int:
        """Return the value."""
        self.point("load", Mode.READ)
        return self.value

    def store(self, value: int) -> None:
        """Set the value."""
        self.point("store")
        self.value = value


def swap(one: Variable, two: Variable) -> None:
    """Exchange two variables in one step."""
    more = ((two.target, Mode.WRITE, None),)
    one.kernel.point(Operation("swap", one.target, Mode.WRITE, None, more))
    one.value, two.value = two.value, one.value


def copy(source: Variable, sink: Variable) -> None:
    """Copy one variable to another in one step."""
    more = ((sink.target, Mode.WRITE, None),)
    source.kernel.point(Operation("copy", source.target, Mode.READ, None, more))
    sink.value = source.value


class Lock(Primitive):
    """State: 1 if it is taken."""

    kind = "lock"

    def acquire(self) -> None:
        """Take it; block while it is taken."""
        self.kernel.point(Operation("acquire", self.target, Mode.WRITE, _is_free))
        self.target.state = 1

    def try_acquire(self) -> bool:
        """Take it if it is free; also what an acquire with a time-out comes to."""
        self.point("try")
        if self.target.state:
            return False
        self.target.state = 1
        return True

    def release(self) -> None:
        """Give it back. Raises RuntimeError if it is free."""
        release = Operation("release", self.target)
        if self.kernel.are_releases_points:
            self.kernel.point(release)
        else:
            self.kernel.settle(release)
        if not self.target.state:
            raise RuntimeError("release of a free lock")
        self.target.state = 0

    def is_locked(self) -> bool:
        """Look."""
        self.point("locked", Mode.READ)
        return self.target.state != 0


def acquire_both(one: Lock, two: Lock) -> None:
    """Take two locks in one step; block while one of them is taken."""
    more = ((two.target, Mode.WRITE, _is_free),)
    one.kernel.point(Operation("acquire both", one.target, Mode.WRITE, _is_free, more))
    one.target.state = two.target.state = 1


def acquire_and_store(lock: Lock, variable: Variable, value: int) -> None:
    """Take a lock and set a variable in one step."""
    more = ((variable.target, Mode.WRITE, None),)
    lock.kernel.point(Operation("acquire store", lock.target, Mode.WRITE, _is_free, more))
    lock.target.state = 1
    variable.value = value


class RLock(Primitive):
    """State: 0, or the owner's number + 1, times 8, plus the depth."""

    kind = "rlock"

    def acquire(self) -> None:
        """Take it once more; block while another task has it."""
        mine = self.kernel.running.uid + 1

        def is_mine(state: int) -> bool:
            return state == 0 or state // 8 == mine

        self.kernel.point(Operation("acquire", self.target, Mode.WRITE, is_mine))
        self.target.state = self.target.state + 1 if self.target.state else mine * 8 + 1

    def release(self) -> None:
        """Undo one acquire. Raises RuntimeError if another task has it."""
        self.point("release")
        if self.target.state // 8 != self.kernel.running.uid + 1:
            raise RuntimeError("release of a foreign lock")
        self.target.state -= 1
        if self.target.state % 8 == 0:
            self.target.state = 0


class Semaphore(Primitive):
    """State: how many more may enter."""

    kind = "semaphore"

    def acquire(self) -> None:
        """Enter; block while the count is zero."""
        self.kernel.point(Operation("acquire", self.target, Mode.WRITE, _is_positive))
        self.target.state -= 1

    def try_acquire(self) -> bool:
        """Enter unless the count is zero."""
        self.point("try")
        if self.target.state == 0:
            return False
        self.target.state -= 1
        return True

    def release(self) -> None:
        """Leave."""
        self.point("release")
        self.target.state += 1


class Event(Primitive):
    """State: 1 if it is set."""

    kind = "event"

    def set(self) -> None:
        """Let all waiters go on."""
        self.point("set")
        self.target.state = 1

    def clear(self) -> None:
        """Make further waiters wait."""
        self.point("clear")
        self.target.state = 0

    def wait(self) -> None:
        """Block until it is set."""
        self.kernel.point(Operation("wait", self.target, Mode.READ, _is_positive))

    def is_set(self) -> bool:
        """Look; also what a wait with a time-out comes to."""
        self.point("is set", Mode.READ)
        return self.target.state != 0


class Condition(Primitive):
    """State: bit i is set once ticket i was notified; tickets are notified in their order (FIFO)."""

    kind = "condition"

    def __init__(self, lock: Lock, name: str = "") -> None:
        super().__init__(0, name)
        self.lock = lock
        self.tickets = 0
        self.waiting: list[int] = []
        self.sleepers: dict[int, Task] = {}

    def _enqueue(self) -> Callable[[int], bool]:
        if not self.lock.target.state:
            raise RuntimeError("wait without the lock")
        more = ((self.target, Mode.WRITE, None),)
        self.kernel.point(Operation("wait", self.lock.target, Mode.WRITE, None, more))
        self.lock.target.state = 0
        ticket = self.tickets
        self.tickets += 1
        self.waiting.append(ticket)

        def is_notified(state: int) -> bool:
            return state >> ticket & 1 == 1

        return is_notified

    def wait(self) -> None:
        """Give the lock back, wait for a notification, then for the lock: three steps."""
        is_notified = self._enqueue()
        self.kernel.point(Operation("woken", self.target, Mode.READ, is_notified))
        self.lock.acquire()

    def wait_in_two_steps(self) -> None:
        """Give the lock back; wait for the notification and the lock at once."""
        is_notified = self._enqueue()
        more = ((self.target, Mode.READ, is_notified),)
        self.kernel.point(Operation("reacquire", self.lock.target, Mode.WRITE, _is_free, more))
        self.lock.target.state = 1

    def wait_until_woken(self) -> None:
        """Give the lock back; be woken by a notification, which makes the task wait for the lock.

        The notifier exchanges the waiter's operation: so the two depend on one another directly, as a
        task depends on who starts it, and the waiter does not depend on later notifications.
        """
        self._enqueue()
        kernel = self.kernel
        self.sleepers[self.waiting[-1]] = kernel.running
        bed = Target(self.target.uid, "bed")
        kernel.point(Operation("asleep", bed, Mode.WRITE, _is_positive))
        self.lock.target.state = 1

    def _wake(self, ticket: int) -> None:
        self.target.state |= 1 << ticket
        sleeper = self.sleepers.pop(ticket, None)
        if sleeper is not None:
            waker = self.kernel.running
            if not self.kernel.is_repeating:
                count = len(sleeper.positions)
                self.kernel.record.trail.append((sleeper, sleeper.past, sleeper.sync, count))
                sleeper.past |= waker.past
                sleeper.sync |= waker.sync
            reacquire = Operation("reacquire", self.lock.target, Mode.WRITE, _is_free)
            if sleeper.is_daemon:
                reacquire = reacquire.extended((self.kernel.process, Mode.READ, None))
            sleeper.operation = reacquire

    def wait_or_expire(self) -> bool:
        """Wait with a time-out, which may expire at any moment. Return whether it was notified."""
        is_notified = self._enqueue()
        ticket = self.tickets - 1
        self.point("woken or expired")
        was_notified = is_notified(self.target.state)
        if not was_notified:
            self.waiting.remove(ticket)
        self.lock.acquire()
        return was_notified

    def notify(self, count: int = 1) -> None:
        """Wake the longest waiters, if there are any."""
        self.point("notify")
        for ticket in self.waiting[:count]:
            self._wake(ticket)
        del self.waiting[:count]


class Barrier(Primitive):
    """State: how many have arrived, ever."""

    kind = "barrier"

    def __init__(self, parties: int, name: str = "") -> None:
        super().__init__(0, name)
        self.parties = parties

    def wait(self) -> int:
        """Block until the generation is complete; return the place in it."""
        self.point("arrive")
        place = self.target.state
        self.target.state += 1
        needed = (place // self.parties + 1) * self.parties

        def is_complete(state: int) -> bool:
            return state >= needed

        self.kernel.point(Operation("leave", self.target, Mode.READ, is_complete))
        return place % self.parties


class Queue(Primitive):
    """State: how many items it holds."""

    kind = "queue"

    def __init__(self, capacity: int, name: str = "") -> None:
        super().__init__(0, name)
        self.capacity = capacity
        self.items: list[int] = []

    def _has_room(self, state: int) -> bool:
        return state < self.capacity

    def put(self, item: int) -> None:
        """Add an item; block while the queue is full."""
        self.kernel.point(Operation("put", self.target, Mode.WRITE, self._has_room))
        self.items.append(item)
        self.target.state += 1

    def get(self) -> int:
        """Take the oldest item; block while there is none."""
        self.kernel.point(Operation("get", self.target, Mode.WRITE, _is_positive))
        self.target.state -= 1
        return self.items.pop(0)

    def try_put(self, item: int) -> bool:
        """Add an item if there is room."""
        self.point("try put")
        if not self._has_room(self.target.state):
            return False
        self.items.append(item)
        self.target.state += 1
        return True

    def try_get(self) -> int | None:
        """Take the oldest item if there is one."""
        self.point("try get")
        if not self.items:
            return None
        self.target.state -= 1
        return self.items.pop(0)


def start(function: Callable[[], object], name: str = "task", *, is_daemon: bool = False) -> Task:
    """Start a task."""
    kernel = active_kernel()
    task = kernel.new_task(name, function)
    task.is_daemon = is_daemon
    kernel.start(task)
    return task


def join(task: Task) -> None:
    """Wait until a task has ended."""
    kernel = active_kernel()
    kernel.point(kernel.join_operation(task))


def run_tasks(*functions: Callable[[], object]) -> None:
    """Start a task for each function, then wait for all of them."""
    for task in [start(function) for function in functions]:
        join(task)
