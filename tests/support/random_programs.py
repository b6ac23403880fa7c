"""Random concurrent programs: plain data, run on the primitives of `kernel_primitives`.

A program is small enough for an exhaustive search, and uses a few primitives of every kind in every way,
right and wrong. It is data, so that a failing one can be printed, shrunk and kept.
"""

from __future__ import annotations

import dataclasses
import random
from typing import TYPE_CHECKING, Any

import kernel_primitives as kp
from parallel_cookbook.kernel import active_kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from parallel_cookbook.kernel import Task

Statement = tuple[Any, ...]
"""A kind and its arguments: numbers of objects, values, or lists of statements (bodies)."""


@dataclasses.dataclass(frozen=True)
class Program:
    """Task 0 is the main task. Every other task is started by one statement."""

    bodies: tuple[tuple[Statement, ...], ...]
    daemons: frozenset[int] = frozenset()
    semaphore: int = 1
    """The semaphores' first count."""
    capacity: int = 1
    parties: int = 2
    is_quiet: bool = False
    """Whether releases of locks, starts and ends of tasks are no points, if nobody can see them."""

    def __call__(self) -> Run:
        """Return the main function for one execution."""
        return Run(self)

    def __str__(self) -> str:
        settings = dataclasses.asdict(self)
        del settings["bodies"]
        lines = [str(settings)]
        lines += [f"task {number}: {body}" for number, body in enumerate(self.bodies)]
        return "\n".join(lines)


class Run:
    """One execution of a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.logs: list[list[object]] = [[] for _ in program.bodies]

    def outcome(self) -> object:
        """Return what each task saw, and the last values."""
        values = [variable.value for variable in self.variables]
        return (tuple(map(tuple, self.logs)), *values, *(len(q.items) for q in self.queues))

    def __call__(self) -> None:
        """Make the objects, and run task 0."""
        program = self.program
        self.kernel = active_kernel()
        # A daemon is looked at by the end of the program.
        self.kernel.are_lives_points = not program.is_quiet or bool(program.daemons)
        self.kernel.are_releases_points = not program.is_quiet
        self.tasks = [self._new_task(number) for number in range(len(program.bodies))]
        self.variables = [kp.Variable(0, name) for name in "xy"]
        self.locks = [kp.Lock(name=name) for name in "AB"]
        self.rlock = kp.RLock()
        self.semaphores = [kp.Semaphore(program.semaphore) for _ in range(2)]
        self.events = [kp.Event() for _ in range(2)]
        self.conditions = [kp.Condition(lock) for lock in self.locks]
        self.barrier = kp.Barrier(program.parties)
        self.queues = [kp.Queue(program.capacity) for _ in range(2)]
        self._task(0)

    def _new_task(self, number: int) -> Task:
        task = self.kernel.new_task(f"task {number}", lambda: self._task(number))
        task.is_daemon = number in self.program.daemons
        return task

    def _task(self, number: int) -> None:
        try:
            for statement in self.program.bodies[number]:
                self._perform(number, statement)
        except (RuntimeError, AssertionError) as error:
            self.logs[number].append(str(error))

    def _perform(self, number: int, statement: Statement) -> None:
        kind, *arguments = statement
        result = getattr(self, "_do_" + kind)(number, *arguments)
        if result is not None:
            self.logs[number].append(result)

    def _body(self, number: int, body: tuple[Statement, ...]) -> None:
        for statement in body:
            self._perform(number, statement)

    # --- statements -----------------------------------------------------------------------------

    def _do_load(self, _: int, variable: int) -> int:
        return self.variables[variable].load()

    def _do_store(self, _: int, variable: int, value: int) -> None:
        self.variables[variable].store(value)

    def _do_add(self, _: int, variable: int) -> None:
        self.variables[variable].store(self.variables[variable].load() + 1)

    def _do_swap(self, _: int) -> None:
        kp.swap(*self.variables)

    def _do_copy(self, _: int, source: int) -> None:
        kp.copy(self.variables[source], self.variables[1 - source])

    def _do_if(self, number: int, variable: int, body: tuple[Statement, ...]) -> None:
        if self.variables[variable].load() == 0:
            self._body(number, body)

    def _do_claim(self, _: int, variable: int) -> None:
        assert self.variables[variable].load() == 0, "claim"

    def _do_start(self, _: int, other: int) -> None:
        self.kernel.start(self.tasks[other])

    def _do_join(self, _: int, other: int) -> None:
        kp.join(self.tasks[other])

    def _do_acquire(self, _: int, lock: int) -> None:
        self.locks[lock].acquire()

    def _do_release(self, _: int, lock: int) -> None:
        self.locks[lock].release()

    def _do_with(self, number: int, lock: int, body: tuple[Statement, ...]) -> None:
        self.locks[lock].acquire()
        self._body(number, body)
        self.locks[lock].release()

    def _do_try(self, number: int, lock: int, body: tuple[Statement, ...]) -> bool:
        if self.locks[lock].try_acquire():
            self._body(number, body)
            self.locks[lock].release()
            return True
        return False

    def _do_locked(self, _: int, lock: int) -> bool:
        return self.locks[lock].is_locked()

    def _do_both(self, number: int, body: tuple[Statement, ...]) -> None:
        kp.acquire_both(*self.locks)
        self._body(number, body)
        for lock in self.locks:
            lock.release()

    def _do_acquire_and_store(self, _: int, lock: int, variable: int, value: int) -> None:
        kp.acquire_and_store(self.locks[lock], self.variables[variable], value)

    def _do_rlock(self, number: int, body: tuple[Statement, ...]) -> None:
        self.rlock.acquire()
        self._body(number, body)
        self.rlock.release()

    def _do_enter(self, _: int, semaphore: int) -> None:
        self.semaphores[semaphore].acquire()

    def _do_try_enter(self, _: int, semaphore: int) -> bool:
        return self.semaphores[semaphore].try_acquire()

    def _do_leave(self, _: int, semaphore: int) -> None:
        self.semaphores[semaphore].release()

    def _do_set(self, _: int, event: int) -> None:
        self.events[event].set()

    def _do_clear(self, _: int, event: int) -> None:
        self.events[event].clear()

    def _do_await(self, _: int, event: int) -> None:
        self.events[event].wait()

    def _do_is_set(self, _: int, event: int) -> bool:
        return self.events[event].is_set()

    def _do_wait(self, _: int, condition: int) -> None:
        self.conditions[condition].wait()

    def _do_wait_in_two_steps(self, _: int, condition: int) -> None:
        self.conditions[condition].wait_in_two_steps()

    def _do_wait_until_woken(self, _: int, condition: int) -> None:
        self.conditions[condition].wait_until_woken()

    def _do_wait_or_expire(self, _: int, condition: int) -> bool:
        return self.conditions[condition].wait_or_expire()

    def _do_notify(self, _: int, condition: int, count: int) -> None:
        self.conditions[condition].notify(count)

    def _do_barrier(self, _: int) -> int:
        return self.barrier.wait()

    def _do_put(self, _: int, queue: int, item: int) -> None:
        self.queues[queue].put(item)

    def _do_get(self, _: int, queue: int) -> int:
        return self.queues[queue].get()

    def _do_try_put(self, _: int, queue: int, item: int) -> bool:
        return self.queues[queue].try_put(item)

    def _do_try_get(self, _: int, queue: int) -> int:
        item = self.queues[queue].try_get()
        return -1 if item is None else item


FAMILIES: dict[str, tuple[str, ...]] = {
    "variables": ("load", "store", "add", "swap", "copy", "if", "claim"),
    "locks": ("with", "with", "try", "locked", "acquire", "release"),
    "plain locks": ("with", "with", "acquire"),
    "several": ("both", "acquire_and_store", "swap"),
    "rlock": ("rlock",),
    "semaphores": ("enter", "enter", "try_enter", "leave", "leave"),
    "events": ("set", "clear", "await", "is_set"),
    "conditions": ("waiting", "waiting", "notify", "notify"),
    "barrier": ("barrier",),
    "queues": ("put", "get", "try_put", "try_get"),
}
"""What a program is made of: it draws from a few families, so that its tasks meet."""

LOOKS = frozenset({"try", "locked", "release"})
"""Who can see that a lock is given back, apart from those who wait for it."""

NESTS = frozenset({"if", "with", "try", "both", "rlock"})


def random_program(seed: object, size: int = 6, families: tuple[str, ...] = ()) -> Program:
    """Return a program of about `size` statements besides the starts; the same for the same seed.

    families: what it is made of; if empty, a few families are drawn.
    """
    return _Generator(random.Random(f"{seed}"), size, families).program()


class _Generator:
    def __init__(self, source: random.Random, size: int, families: tuple[str, ...]) -> None:
        self.random = source
        self.size = size
        if not families:
            count = source.choice((1, 1, 2, 2, 3))
            families = tuple(source.sample(sorted(FAMILIES), count))
            if source.random() < 0.7 and "variables" not in families:
                families = (*families, "variables")
        self.kinds = [kind for family in families for kind in FAMILIES[family]]
        self.spread = source.choice((1, 1, 2))
        """How many objects of a kind the program uses."""

    def program(self) -> Program:
        source = self.random
        workers = source.choice((1, 2, 2, 2, 3))
        shares = [0] * (workers + 1)
        for _ in range(self.size):
            shares[source.randrange(workers + 1)] += 1
        bodies = [[self.statement(2) for _ in range(share)] for share in shares]
        for worker in range(1, workers + 1):
            parent = source.choice((0, 0, 0, source.randrange(worker)))
            place = 0 if parent == 0 and source.random() < 0.7 else len(bodies[parent])
            bodies[parent].insert(source.randint(0, place), ("start", worker))
            if source.random() < 0.4:
                waiter = parent if source.random() < 0.8 else source.randrange(workers + 1)
                if waiter != worker:
                    bodies[waiter].append(("join", worker))
        daemons = {worker for worker in range(1, workers + 1) if source.random() < 0.15}
        return Program(
            tuple(map(tuple, bodies)),
            frozenset(daemons),
            semaphore=source.choice((0, 1, 1, 2)),
            capacity=source.choice((1, 1, 2)),
            parties=source.choice((1, 2, 2, workers + 1)),
            is_quiet=source.random() < 0.5 and not LOOKS & set(self.kinds),
        )

    def number(self) -> int:
        return self.random.randrange(self.spread)

    def body(self, depth: int) -> tuple[Statement, ...]:
        length = self.random.choice((0, 1, 1, 2))
        return tuple(self.statement(depth - 1) for _ in range(length))

    def statement(self, depth: int) -> Statement:
        kind = self.random.choice(self.kinds)
        if kind in NESTS and depth == 0:
            return ("load", self.number())
        return self._build(kind, depth)

    def _build(self, kind: str, depth: int) -> Statement:  # noqa: PLR0911 - one for each shape
        number = self.number()
        match kind:
            case "swap" | "barrier":
                return (kind,)
            case "both" | "rlock":
                return (kind, self.body(depth))
            case "if" | "with" | "try":
                return (kind, number, self.body(depth))
            case "store" | "put" | "try_put":
                return (kind, number, self.random.choice((0, 1, 2)))
            case "acquire_and_store":
                return (kind, number, self.number(), self.random.choice((0, 1, 2)))
            case "notify":
                notify = (kind, number, self.random.choice((1, 1, 9)))
                return notify if self.random.random() < 0.5 else ("with", number, (notify,))
            case "waiting":
                how = self.random.choice(
                    ("wait", "wait_in_two_steps", "wait_until_woken", "wait_or_expire")
                )
                return ("with", number, ((how, number),))
            case _:
                return (kind, number)


def smaller(program: Program) -> Iterator[Program]:
    """Return the programs that are one statement shorter, or have one nest less."""
    for number, body in enumerate(program.bodies):
        for shorter in _shorter_bodies(body):
            bodies = (*program.bodies[:number], shorter, *program.bodies[number + 1 :])
            yield dataclasses.replace(program, bodies=bodies)
    for daemon in program.daemons:
        yield dataclasses.replace(program, daemons=program.daemons - {daemon})


def _shorter_bodies(body: tuple[Statement, ...]) -> Iterator[tuple[Statement, ...]]:
    for place, statement in enumerate(body):
        before, after = body[:place], body[place + 1 :]
        yield before + after
        if statement[0] in NESTS:
            yield before + statement[-1] + after
            for inner in _shorter_bodies(statement[-1]):
                yield (*before, (*statement[:-1], inner), *after)


def shrink(program: Program, fails: Callable[[Program], bool]) -> Program:
    """Return a program that still fails, and of which no smaller one does."""
    while True:
        for candidate in smaller(program):
            if fails(candidate):
                program = candidate
                break
        else:
            return program
