"""Random programs of processes as source text, and all that can come of them by one search or another."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from parallel_cookbook.check.execution import Machine
from parallel_cookbook.check.exploration import Budget, explore
from parallel_cookbook.check.program import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from parallel_cookbook.strategies import Strategy

HEAD = """\
from multiprocessing import *
from queue import Empty


def get(queue):
    try:
        return queue.get(timeout=0.01)
    except Empty:
        return "empty"


def install(value):
    global shared
    shared = value


def add(number):
    shared.value += number
    return shared.value

"""
MAIN = """
if __name__ == "__main__":
    things = ({objects},)
    processes, reports = [], []
    for work in ({works},):
        here, there = Pipe(duplex=False)
        reports.append(here)
        processes.append(Process(target=work, args=(there, *things)))
    for process in processes:
        process.start()
    log = []
    own(log, *things)
    for process in processes:
        process.join()
    print(log, [report.recv() for report in reports]{last})
"""
FAMILIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "queue": (
        "Queue({small})",
        ("{x}.put({n})", "{x}.put({n})", "log.append(get({x}))", "log.append({x}.empty())"),
    ),
    "simple": ("SimpleQueue()", ("{x}.put({n})", "{x}.put({n})", "log.append({x}.get())")),
    "joinable": ("JoinableQueue()", ("{x}.put({n})", "{x}.get(); {x}.task_done()", "{x}.join()")),
    "pipe": (
        "Pipe()",
        (
            "{x}[0].send({n})",
            "{x}[0].send({n})",
            "log.append({x}[1].recv())",
            "log.append({x}[1].poll(0.01))",
            "{x}[1].send({n})",
            "log.append({x}[0].poll())",
        ),
    ),
    "value": (
        "Value('i', 0)",
        (
            "{x}.value += 1",
            "{x}.value = {n}",
            "log.append({x}.value)",
            "with {x}.get_lock(): {x}.value += 1",
        ),
    ),
    "array": ("Array('i', 2)", ("{x}[0] += 1", "{x}[:] = [{n}, {n}]", "log.append({x}[:])")),
    "lock": (
        "Lock()",
        (
            "with {x}: log.append({n})",
            "log.append({x}.acquire(False))",
            "log.append({x}.acquire(timeout=0.01))",
            "{x}.acquire()",
        ),
    ),
    "rlock": ("RLock()", ("with {x}: log.append({x}.acquire(timeout=0.01))", "{x}.acquire()")),
    "semaphore": (
        "Semaphore({small})",
        ("{x}.acquire()", "{x}.release()", "log.append({x}.acquire(timeout=0.01))"),
    ),
    "event": (
        "Event()",
        ("{x}.set()", "{x}.clear()", "log.append({x}.is_set())", "log.append({x}.wait(0.01))"),
    ),
    "condition": (
        "Condition()",
        (
            "with {x}: {x}.notify()",
            "with {x}: {x}.notify_all()",
            "with {x}: log.append({x}.wait(0.01))",
        ),
    ),
    "barrier": ("Barrier(2)", ("log.append({x}.wait())",)),
    "table": (
        "Manager().dict(n=0)",
        (
            "{x}['n'] += 1",
            "{x}['n'] = {n}",
            "log.append({x}.get('n'))",
            "log.append({x}.pop('n', None))",
            "{x}.update(n={n})",
        ),
    ),
    "items": (
        "Manager().list([0])",
        ("{x}.append({n})", "{x}[0] += 1", "log.append(len({x}))", "log.append({x}[:])"),
    ),
    "served": (
        "Manager().Queue({small})",
        ("{x}.put({n})", "log.append(get({x}))", "log.append({x}.qsize())"),
    ),
    "guard": (
        "Manager().Lock()",
        ("with {x}: log.append({n})", "log.append({x}.acquire(False))", "{x}.acquire()"),
    ),
    "pool": (
        "Value('i', 0)",
        (
            "with Pool(1, install, ({x},)) as pool: log.append(pool.map(add, [1, 2]))",
            "with Pool(2, install, ({x},)) as pool: log.append(pool.map(add, [1, 1]))",
            "with Pool(1, install, ({x},)) as pool: log.append(pool.apply(add, (1,)))",
            "with Pool(1, install, ({x},)) as pool: log.append(list(pool.imap(add, iter((1, 2)))))",
            "with Pool(2, install, ({x},)) as pool: log += pool.imap_unordered(add, [1, 2])",
            "{x}.value += 1",
            "log.append({x}.value)",
        ),
    ),
}
"""For each kind of thing: how it is made, and what a process may do with it."""
MANAGED = ("table", "items", "served", "guard")
"""Those that a manager owns."""


def random_process_program(
    seed: str, size: int = 4, families: Sequence[str] = tuple(FAMILIES)
) -> str:
    """Return a program of two or three processes with `size` statements; the same for the same seed."""
    source = random.Random(seed)
    most = min(len(families), source.choice((1, 1, 2)))
    kinds = source.sample(sorted(families), most)
    bodies: list[list[str]] = [[] for _ in range(source.choice((2, 2, 3)))]
    for _ in range(size):
        source.choice(bodies).append(_statement(source, kinds))
    small = source.choice((1, 2))
    objects = ", ".join(FAMILIES[kind][0].format(small=small) for kind in kinds)
    lines = [HEAD]
    names = ", ".join(kinds)
    for number, body in enumerate(bodies):
        if number:
            lines += [f"def work{number}(report, {names}):", "    log = []", *body]
            lines += ["    report.send(log)", ""]
        else:
            lines += [f"def own(log, {names}):", *body, "    return", ""]
    works = ", ".join(f"work{number}" for number in range(1, len(bodies)))
    last = ", things[0].value" if kinds[0] in {"value", "pool"} else ""
    return "\n".join(lines) + MAIN.format(objects=objects, works=works, last=last)


def _statement(source: random.Random, kinds: list[str]) -> str:
    kind = source.choice(kinds)
    statement = source.choice(FAMILIES[kind][1]).format(x=kind, n=source.randrange(3))
    outer = source.choice(kinds)
    if outer in {"lock", "rlock"} and kind != outer:
        return f"    with {outer}:\n        {statement}"
    return f"    {statement}"


def outcomes(
    file: Path,
    strategy: Callable[[], Strategy],
    max_executions: int,
    *,
    are_all_points: bool = False,
) -> set[object] | None:
    """Return all that a program can print, and how it can fail; None if there are too many executions.

    are_all_points: leave no point out that the check would leave out until the program looks there.
    """
    found, is_all = search(file, strategy, max_executions, are_all_points=are_all_points)
    return found if is_all else None


def search(
    file: Path,
    strategy: Callable[[], Strategy],
    max_executions: int,
    *,
    are_all_points: bool = False,
) -> tuple[set[object], bool]:
    """Return what so many executions of a program have come to, and whether that is all."""
    machine = Machine(Entry(file), max_steps=2000)
    if are_all_points:
        kernel = machine.kernel
        kernel.are_releases_points = kernel.are_lives_points = True
        kernel.are_kills_points = kernel.are_handovers_points = True
    tally = explore(machine, strategy, Budget(max_executions, None), stop_at_first=False)
    faults: set[object] = {(fault.kind, fault.message) for fault in tally.faults}
    return faults | {stdout for stdout, _ in tally.outcomes}, tally.is_exhaustive
