"""Models of small concurrent programs whose numbers of schedules and classes are known.

The programs are SCTBench's "CS" set (Thomson, Donaldson, Betts, TOPC 2016; they come from the ESBMC
benchmarks). Points are what synchronises (the creation of a task included) and racy accesses; what is
protected by a lock needs none. An execution goes on after a failed assertion, which is noted down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_primitives import Condition, Lock, Primitive, Variable, join, start

if TYPE_CHECKING:
    from collections.abc import Callable

    from parallel_cookbook.kernel import Kernel, Task

    Build = Callable[["Benchmark"], list[Callable[[], None]]]


class Benchmark:
    """One execution of a model. `build` returns the functions of its tasks, in the order of creation."""

    def __init__(self, build: Build) -> None:
        self._build = build
        self.failures = 0
        self.values: tuple[object, ...] = ()

    def claim(self, holds: bool) -> None:
        """Note down a failed assertion, and go on."""
        self.failures += not holds

    def outcome(self) -> object:
        """Return what distinguishes the executions."""
        return self.failures

    def __call__(self) -> None:
        """Run the model: the main function of one execution."""
        for task in [start(function) for function in self._build(self)]:
            join(task)


def locked_sections(count: int, sections: int = 1) -> Build:
    """Return a program of tasks that each take one lock so many times."""

    def build(_: Benchmark) -> list[Callable[[], None]]:
        lock = Lock()

        def work() -> None:
            for _ in range(sections):
                lock.acquire()
                lock.release()

        return [work] * count

    return build


def account(run: Benchmark) -> list[Callable[[], None]]:
    """Deposit, withdrawal, and a check that comes too early."""
    lock = Lock()
    balance, deposit, withdrawal = [10], [False], [False]

    def add() -> None:
        lock.acquire()
        balance[0] += 3
        deposit[0] = True
        lock.release()

    def take() -> None:
        lock.acquire()
        balance[0] -= 4
        withdrawal[0] = True
        lock.release()

    def check() -> None:
        lock.acquire()
        if deposit[0] and withdrawal[0]:
            run.claim(balance[0] == 10 - 4 - 3)
        lock.release()

    return [add, take, check]


def _producer_consumer(
    run: Benchmark, count: int, first: int, *, consumes: bool = True
) -> list[Callable[[], None]]:
    lock = Lock()
    empty, full = Condition(lock), Condition(lock)
    number = [first]

    def produce() -> None:
        for _ in range(count):
            lock.acquire()
            while number[0] > 0:
                empty.wait_until_woken()
            number[0] += 1
            lock.release()
            full.notify()

    def consume() -> None:
        for _ in range(count):
            lock.acquire()
            while number[0] == 0:
                full.wait_until_woken()
            number[0] -= consumes
            lock.release()
            empty.notify()
        run.claim(holds=False)

    return [produce, consume]


def arithmetic_prog(run: Benchmark) -> list[Callable[[], None]]:
    """Three items through a buffer of one."""
    return _producer_consumer(run, 3, 0)


def sync01(run: Benchmark) -> list[Callable[[], None]]:
    """The consumer leaves the item in the buffer: the producer may wait for ever."""
    return _producer_consumer(run, 1, 1, consumes=False)


def sync02(run: Benchmark) -> list[Callable[[], None]]:
    """Two items are in a buffer of one from the beginning."""
    return _producer_consumer(run, 2, 2)


def carter01(_: Benchmark) -> list[Callable[[], None]]:
    """Two classes of users exclude one another by a lock, taken inside another lock."""
    outer, inner = Lock(), Lock()

    def use() -> None:
        outer.acquire()
        inner.acquire()
        outer.release()
        outer.acquire()
        inner.release()
        outer.release()

    return [use, use, lambda: None, lambda: None]


def deadlock01(_: Benchmark) -> list[Callable[[], None]]:
    """Two locks in opposite orders."""
    one, two = Lock(), Lock()

    def work(first: Lock, second: Lock) -> None:
        first.acquire()
        second.acquire()
        second.release()
        first.release()

    return [lambda: work(one, two), lambda: work(two, one)]


def lazy01(run: Benchmark) -> list[Callable[[], None]]:
    """The sum is complete before somebody thinks so."""
    lock = Lock()
    data = [0]

    def add(number: int) -> None:
        lock.acquire()
        data[0] += number
        lock.release()

    def check() -> None:
        lock.acquire()
        run.claim(data[0] < 3)
        lock.release()

    return [lambda: add(1), lambda: add(2), check]


def phase01(_: Benchmark) -> list[Callable[[], None]]:
    """A lock that is not given back."""
    one, two = Lock(), Lock()

    def work() -> None:
        one.acquire()
        one.release()
        one.acquire()
        for _ in range(2):
            two.acquire()
            two.release()

    return [work, work]


def token_ring(run: Benchmark) -> list[Callable[[], None]]:
    """Four indivisible steps on the same values."""
    ring = Primitive()
    x = [1, 2, 1]
    flags = [False] * 3

    def move(task: int) -> None:
        ring.point("step")
        x[task] = (x[2] + 1) % 4 if task == 0 else x[task - 1]
        flags[task] = True

    def check() -> None:
        ring.point("check")
        if all(flags):
            run.claim(x[0] == x[1] == x[2])

    return [lambda: move(0), lambda: move(1), lambda: move(2), check]


def twostage(run: Benchmark) -> list[Callable[[], None]]:
    """Two values change in two critical sections, and somebody looks in between."""
    locks = [Lock(), Lock()]
    first, second = Variable(0, "first"), [0]

    def write() -> None:
        locks[0].acquire()
        first.value = 1
        locks[0].release()
        locks[1].acquire()
        second[0] = first.load() + 1
        locks[1].release()

    def read() -> None:
        locks[0].acquire()
        seen = first.value
        if seen == 0:
            locks[0].release()
            return
        locks[0].release()
        locks[1].acquire()
        run.claim(second[0] == seen + 1)
        locks[1].release()

    return [write, read]


def reorder(setters: int) -> Build:
    """Return a program of several setters of two variables and one that compares them."""

    def build(run: Benchmark) -> list[Callable[[], None]]:
        a, b = Variable(0, "a"), Variable(0, "b")

        def put() -> None:
            a.store(1)
            b.store(-1)

        def check() -> None:
            is_before = a.load() == 0 and b.load() == 0
            run.claim(is_before or (a.load() == 1 and b.load() == -1))

        return [*[put] * setters, check]

    return build


def wronglock(wrong: int) -> Build:
    """Return a program of one task with the right lock and several with the wrong one."""

    def build(run: Benchmark) -> list[Callable[[], None]]:
        right_lock, wrong_lock = Lock(), Lock()
        data = Variable()

        def careful() -> None:
            right_lock.acquire()
            seen = data.load()
            data.store(data.load() + 1)
            run.claim(data.load() == seen + 1)
            right_lock.release()

        def careless() -> None:
            wrong_lock.acquire()
            data.store(data.load() + 1)
            wrong_lock.release()

        return [careful, *[careless] * wrong]

    return build


def din_phil(count: int) -> Build:
    """Return a program of tasks that each take four steps, on four things in the same order."""

    def build(_: Benchmark) -> list[Callable[[], None]]:
        things = [Variable() for _ in range(4)]

        def work() -> None:
            for thing in things:
                thing.store(1)

        return [work] * count

    return build


def philosophers(count: int) -> Build:
    """Return the dining philosophers, each of whom takes the left fork first."""

    def build(_: Benchmark) -> list[Callable[[], None]]:
        forks = [Lock() for _ in range(count)]

        def dine(left: Lock, right: Lock) -> None:
            left.acquire()
            right.acquire()
            right.release()
            left.release()

        return [
            lambda left=forks[i], right=forks[(i + 1) % count]: dine(left, right)  # type: ignore[misc]
            for i in range(count)
        ]

    return build


def circular_buffer(run: Benchmark) -> list[Callable[[], None]]:
    """Two tasks share a buffer under a lock, three times each, and count on taking turns."""
    lock = Lock()
    is_full, items, taken = [False], [-1], [0]

    def send() -> None:
        for number in range(3):
            lock.acquire()
            if not is_full[0]:
                items[0] = number
                is_full[0] = True
            lock.release()

    def receive() -> None:
        for number in range(3):
            lock.acquire()
            if is_full[0]:
                run.claim(items[0] == number)
                taken[0] += 1
                is_full[0] = False
            lock.release()

    return [send, receive]


def stack(run: Benchmark) -> list[Callable[[], None]]:
    """Pushes and pops under a lock, three each: a pop may find nothing."""
    lock = Lock()
    height, has_pushed = [0], [False]

    def push() -> None:
        for _ in range(3):
            lock.acquire()
            height[0] += 1
            has_pushed[0] = True
            lock.release()

    def pop() -> None:
        for _ in range(3):
            lock.acquire()
            if has_pushed[0]:
                run.claim(height[0] > 0)
                height[0] -= height[0] > 0
            lock.release()

    return [push, pop]


KNOWN_COUNTS: dict[str, tuple[Build, int, int]] = {
    "account": (account, 28, 6),
    "arithmetic_prog": (arithmetic_prog, 3654, 58),
    "carter01": (carter01, 539, 4),
    "deadlock01": (deadlock01, 14, 3),
    "lazy01": (lazy01, 28, 6),
    "phase01": (phase01, 17, 6),
    "sync01": (sync01, 6, 3),
    "sync02": (sync02, 36, 9),
    "token_ring": (token_ring, 105, 24),
    "twostage": (twostage, 44, 3),
    "reorder_3": (reorder(2), 502, 56),
    "reorder_4": (reorder(3), 35118, 1248),
    "circular_buffer": (circular_buffer, 50, 20),
    "stack": (stack, 50, 20),
    "wronglock_2": (wronglock(2), 48048, 48),
    "din_phil2": (din_phil(2), 126, 16),
    "din_phil3": (din_phil(3), 126126, 1296),
}
"""For each program: all schedules, and all classes."""


class VisibleDfs:
    """Depth-first search of all schedules, in which a task's begin, its end and a join are no points."""

    HIDDEN = frozenset({"begin", "end", "join"})

    def __init__(self) -> None:
        self._choices: list[tuple[int, int]] = []
        self._depth = 0

    def choose(self, kernel: Kernel) -> Task | None:
        """Perform what is hidden at once; of the rest take the next choice."""
        enabled = kernel.enabled()
        for task in enabled:
            if task.operation is not None and task.operation.kind in self.HIDDEN:
                return task
        if not enabled:
            return None
        if self._depth == len(self._choices):
            self._choices.append((0, len(enabled)))
        self._depth += 1
        return enabled[self._choices[self._depth - 1][0]]

    def next_execution(self) -> bool:
        """Prepare for the next schedule; False if all have been explored."""
        self._depth = 0
        while self._choices:
            chosen, total = self._choices.pop()
            if chosen + 1 < total:
                self._choices.append((chosen + 1, total))
                return True
        return False
