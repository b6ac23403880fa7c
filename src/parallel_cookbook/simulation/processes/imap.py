"""`Pool.imap` and `imap_unordered`: results one by one, of items that are taken one by one.

Guarantees: what is iterated over is asked for its items in a thread of the pool's owner, while results
come; what it raises is a result, the last one. Whatever else is submitted meanwhile waits until it has
ended. Of the built-in containers all items are taken at once, in the call: to ask them for an item runs no
code of the program, and each would be a step more.

What CPython does: Lib/multiprocessing/pool.py, `Pool._handle_tasks` and class IMapIterator.

PYTEST_DONT_REWRITE: an assertion of this module says what CPython's own does, to the letter.
"""

from __future__ import annotations

import itertools
from collections import deque
from multiprocessing import TimeoutError  # noqa: A004 - CPython's name
from typing import TYPE_CHECKING, Any, Self

from parallel_cookbook.kernel import Mode, Operation, active_kernel
from parallel_cookbook.simulation.clock import expire, timed
from parallel_cookbook.simulation.processes.jobs import Job, Part, Work, is_done
from parallel_cookbook.simulation.threads import Thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from parallel_cookbook.kernel import Task as KernelTask
    from parallel_cookbook.kernel.operation import Target
    from parallel_cookbook.simulation.processes.crew import Crew, Task

# Whatever the program computes, of any type.
# ruff: noqa: ANN401

CONTAINERS = (list, tuple, range, str, bytes, bytearray, dict, set, frozenset)
"""Types of which all items are taken at once."""
_PIPE_BYTES = 65_536
"""How much of what is to be done fits into the pipe to the workers."""


def _is_positive(state: int) -> bool:
    return state > 0


def _is_zero(state: int) -> bool:
    return state == 0


class IMapIterator(Job):
    """The results of `imap`, in the order of the items; see `multiprocessing.pool.IMapIterator`."""

    __module__ = "multiprocessing.pool"

    _mode = Mode.READ

    def __init__(self, crew: Crew, works: list[Work]) -> None:
        super().__init__(crew, works)
        self.is_ordered = True
        self.given = 0
        """How many parts were handed out."""
        self._taker: KernelTask | None = None
        """Who takes results: which one it waits for is known beforehand only if nobody else takes any."""

    def __iter__(self) -> Self:
        return self

    def next(self, timeout: float | None = None) -> Any:
        """Wait for the next result and return it, or raise what was raised. One step.

        Raises StopIteration at the end, `multiprocessing.TimeoutError` if nothing comes in `timeout` seconds.
        """
        me = self._kernel.running
        if self._taker not in {None, me}:
            self._kernel.refuse("an imap of a container from whose results two threads take some")
        self._taker = me
        given = self.given
        if given == len(self.parts):
            raise StopIteration
        self._wait(given, timeout)
        self.given += 1
        return self._part(given).value()

    __next__ = next  # noqa: A003 - CPython's name

    def _part(self, number: int) -> Part:
        return self.parts[number]

    def _wait(self, given: int, timeout: float | None) -> None:
        self._wait_on(self.parts[given].place, is_done, timeout)

    def _wait_on(self, target: Target, need: Callable[[int], bool], timeout: float | None) -> None:
        if timeout is None:
            self._kernel.point(Operation("wait for", target, self._mode, need))
            return
        operation = timed(self._kernel, "wait for", target, self._mode, need, max(timeout, 0))
        self._kernel.point(operation)
        if not need(target.state):
            expire(self._kernel, operation)
            raise TimeoutError


class IMapUnorderedIterator(IMapIterator):
    """The results of `imap_unordered`, as they come."""

    __module__ = "multiprocessing.pool"

    def __init__(self, crew: Crew, works: list[Work]) -> None:
        super().__init__(crew, works)
        self.arrivals = self._kernel.new_target("arrivals")

    def _part(self, number: int) -> Part:
        return self.order[number]

    def _wait(self, given: int, timeout: float | None) -> None:
        assert self.arrivals is not None  # noqa: S101 - made with it
        self._wait_on(self.arrivals, lambda state: state > given, timeout)


class LazyIterator(IMapIterator):
    """The same of items that are taken one by one, of which nobody knows yet how many there will be.

    Target: one, whose state is twice the number of results that can be handed out, and 1 more if after them
    nothing comes.
    """

    __module__ = "multiprocessing.pool"
    _mode = Mode.WRITE

    def __init__(self, crew: Crew, *, is_ordered: bool) -> None:
        super().__init__(crew, [])
        self.is_ordered = is_ordered
        self.progress = self._kernel.new_target("results")
        self._has_all = False

    def next(self, timeout: float | None = None) -> Any:
        """See IMapIterator."""
        self._wait_on(self.progress, _is_positive, timeout)
        if self.progress.state == 1:
            raise StopIteration
        part = (self.parts if self.is_ordered else self.order)[self.given]
        self.given += 1
        self._update()
        return part.value()

    __next__ = next  # noqa: A003 - CPython's name

    def targets_of(self, _part: Part, *, is_good: bool) -> tuple[Target, ...]:  # noqa: ARG002 - a Job's
        """Return what a delivery writes."""
        return (self.progress,)

    def note(self, part: Part, *, is_good: bool) -> None:
        """Note that an outcome has come, in the step that brings it."""
        super().note(part, is_good=is_good)
        self._update()

    def _update(self) -> None:
        come = len(self.order)
        if self.is_ordered:
            come = next(
                (i for i, part in enumerate(self.parts) if not part.place.state), len(self.parts)
            )
        is_end = self._has_all and come == len(self.parts)
        self.progress.state = 2 * (come - self.given) + is_end

    def feed(self, works: Iterator[Work]) -> None:
        """Take item by item and let the workers have it, until there is none or the pool is terminated."""
        for work in works:
            part = Part(self, len(self.parts), work)
            self.parts.append(part)
            error = part.pickled()
            if error is not None:
                self._kernel.point(Operation("finish", self.progress))
                part.fail(error)
            elif not _feed(self.crew, part):
                return
        self._kernel.point(Operation("end", self.progress))
        self._has_all = True
        self._update()


def _feed(crew: Crew, task: Task) -> bool:
    """Let the workers have a task when there is room for it; False if the pool is terminated. One step."""
    need = None
    if isinstance(task.data, bytes):
        most = max(1, _PIPE_BYTES // len(task.data))
        need = lambda state: state // 2 < most  # noqa: E731 - the pool's state is twice its tasks
    crew.kernel.point(Operation("submit to", crew.target, Mode.WRITE, need))
    if not crew.is_terminated:
        crew.add_here([task])
    return not crew.is_terminated


def works_of(func: Any, iterable: Any, size: int) -> Iterator[Work]:
    """Yield the calls for an iterable, in chunks if `size` is not 1.

    If the iterable raises an exception, the last call is one that raises it.
    """
    try:
        if size == 1:
            for item in iterable:
                yield Work(func, (item,), {}, "apply")
        else:
            items = iter(iterable)
            while chunk := tuple(itertools.islice(items, size)):
                yield Work(func, chunk, {}, "map")
    except Exception as error:  # noqa: BLE001 - whatever the program raises
        yield Work(_reraise, (error,), {}, "apply")


def _reraise(error: BaseException) -> None:
    """Raise what the iterable has raised: this is called in a worker, as CPython does it."""
    raise error


class Feeder:
    """The thread of a pool's owner that takes items, and submits whatever is submitted after them.

    Target: its state is the number of things that it has still to feed, the present one included.
    """

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._kernel = active_kernel()
        self.target = self._kernel.new_target("items")
        self._waiting: deque[Callable[[], object]] = deque()
        self._is_closing = False
        self._task: KernelTask | None = None
        Thread(target=self._live, name="Thread (_handle_tasks)", daemon=True).start()

    def add(self, job: LazyIterator, works: Iterator[Work]) -> None:
        """Take up a job. One step."""
        self._kernel.point(Operation("submit to", self.target))
        self._add(lambda: job.feed(works))

    def _add(self, feed: Callable[[], object]) -> None:
        self._waiting.append(feed)
        self.target.state += 1

    def take_over(self, tasks: list[Task]) -> bool:
        """Take tasks that are submitted, if others come before them. In a step that writes the target."""
        if self.target.state:
            self._add(lambda: all(_feed(self._crew, task) for task in tasks))
            return True
        return False

    def close(self) -> None:
        """Close the crew, now or when all has been fed. One step or two."""
        self._kernel.point(Operation("close", self.target))
        if self.target.state:
            self._is_closing = True
        else:
            self._crew.close()

    def is_busy(self) -> bool:
        """Whether there is something to be fed, without a step."""
        return self.target.state > 0

    def join(self) -> None:
        """Wait until it has noticed that its crew is terminated. One step, none in its own thread."""
        if self._kernel.running is not self._task:
            self._kernel.point(Operation("wait for", self.target, Mode.READ, _is_zero))

    def _live(self) -> None:
        kernel = self._kernel
        self._task = kernel.running
        look = ((self._crew.target, Mode.READ, None),)  # whether it is terminated
        while True:
            kernel.point(Operation("serve", self.target, Mode.READ, _is_positive, look))
            feed = self._waiting.popleft()
            if not self._crew.is_terminated:
                feed()
            kernel.point(Operation("have fed", self.target))
            self.target.state -= 1
            if self._is_closing and not self.target.state:
                self._crew.close()
