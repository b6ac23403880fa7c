"""Explore a program: execution after execution, until all classes are covered or the budget is spent."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from parallel_cookbook.kernel import Ending
from parallel_cookbook.strategies import RoundRobin

if TYPE_CHECKING:
    from collections.abc import Callable

    from parallel_cookbook.check.execution import Execution, Machine
    from parallel_cookbook.check.fault import Fault
    from parallel_cookbook.check.lock_order import Edge
    from parallel_cookbook.check.remarks import Leak
    from parallel_cookbook.check.schedule import Step
    from parallel_cookbook.strategies import Strategy

_PROGRESS_MASK = 63
"""Progress is reported after every 64 executions."""
_QUANTA = (1, 2, 3)
"""By how many steps at a time tasks go on that may be in a livelock."""
_MAX_STEPS_IN_STEP = 2000
MAX_OUTCOMES = 1000
"""How many different outcomes are kept; a program with more has no table worth reading."""


@dataclass(frozen=True, slots=True)
class Budget:
    """When to give up. None: no limit."""

    max_executions: int | None = None
    max_seconds: float | None = 60.0


@dataclass(slots=True)
class Witness:
    """A fault or an outcome, and the schedule that leads to it."""

    steps: tuple[Step, ...]
    visible: frozenset[str]
    """What was a scheduling point then: see `Machine.grain`."""


@dataclass(slots=True)
class Tally:
    """What an exploration has found so far."""

    executions: int = 0
    redundant: int = 0
    steps: int = 0
    seconds: float = 0.0
    is_exhaustive: bool = False
    limit: str = ""
    """Which limit was met; empty if none was."""
    inversions: list[tuple[Edge, ...]] = field(default_factory=list)
    """Locks that the first execution took in opposite orders."""
    share_done: float = 0.0
    """An estimate of how much of the search lies behind, from 0 to 1."""
    may_go_round: bool = False
    """Whether the tasks, going on in step, came to no end, and nobody can tell if that is a livelock."""
    faults: dict[Fault, Witness] = field(default_factory=dict)
    outcomes: dict[tuple[str, str], tuple[int, Witness]] = field(default_factory=dict)
    leaks: dict[Leak, None] = field(default_factory=dict)
    """Blocks of shared memory that some execution has not unlinked, in the order of their finding."""


def explore(
    machine: Machine,
    new_strategy: Callable[[], Strategy],
    budget: Budget,
    *,
    stop_at_first: bool = True,
    on_progress: Callable[[Tally], None] = lambda _tally: None,
) -> Tally:
    """Execute the program under one schedule after the other; return what was found.

    Begins again with finer scheduling points when a new race is found; faults that were found before
    stay. Stops at the first fault if `stop_at_first`. `on_progress` is called at the beginning and now and
    then, each time with the same tally: who interrupts the search finds there what it had found.

    Cost: memory for the longest execution and for the different outcomes, not for the executions.
    """
    tally = Tally()
    started = time.monotonic()
    strategy = new_strategy()
    order = machine.watch_lock_order()
    is_in_sequence = True
    on_progress(tally)
    while True:
        execution = machine.execute(strategy, strategy.repeats if is_in_sequence else 0)
        is_in_sequence = True
        machine.stop_watching()
        _count(tally, machine, execution)
        tally.seconds = time.monotonic() - started
        if (stop_at_first and tally.faults) or machine.is_stalled:
            break
        if machine.is_out_of_time:
            tally.limit = f"{budget.max_seconds:g} seconds"
            break
        if machine.learn():
            strategy = new_strategy()
            order = machine.watch_lock_order()
            tally.may_go_round = False
            tally.outcomes.clear()
            tally.executions = tally.redundant = 0
            continue
        if machine.suspects_livelock():
            if _finds_livelock(tally, machine) and stop_at_first:
                break
            is_in_sequence = False
        if not strategy.next_execution():
            _conclude(tally, machine, strategy)
            break
        tally.limit = _limit_met(tally, budget, machine)
        if tally.limit:
            break
        if tally.executions & _PROGRESS_MASK == 0:
            tally.share_done = strategy.share_done()
            on_progress(tally)
    machine.kernel.close()
    tally.seconds = time.monotonic() - started
    tally.inversions = list(order.inversions())
    return tally


def _conclude(tally: Tally, machine: Machine, strategy: Strategy) -> None:
    """Say whether a search that has come to its end has covered everything, and if not, what limits it."""
    has_left_out = machine.has_left_out
    tally.is_exhaustive = (
        strategy.is_exhaustive
        and not _was_cut_off(tally)
        and not has_left_out
        and not tally.may_go_round
    )
    if tally.may_go_round:
        tally.limit = (
            "how its loops go on: in step its tasks come to no end, and whether they come back to where "
            "they were is hidden"
        )
    elif has_left_out:
        tally.limit = "how often its loops are followed"
    elif not tally.is_exhaustive:
        tally.limit = f"what the strategy {strategy.name} covers"


def _finds_livelock(tally: Tally, machine: Machine) -> bool:
    """Let the tasks go on in step, a few times; count what comes of it if it is a livelock."""
    for quantum in _QUANTA:
        execution = machine.execute(RoundRobin(quantum, _MAX_STEPS_IN_STEP))
        if any(fault.kind == "livelock" for fault in execution.faults):
            _count(tally, machine, execution)
            return True
        if execution.ending is Ending.CUT and not execution.faults:
            tally.may_go_round = True
    return False


def _was_cut_off(tally: Tally) -> bool:
    return any(fault.kind in {"step-limit", "unsupported"} for fault in tally.faults)


def _count(tally: Tally, machine: Machine, execution: Execution) -> None:
    tally.steps += execution.steps
    if execution.ending is Ending.CUT and not execution.faults:
        tally.redundant += 1
        return
    tally.executions += 1
    tally.leaks |= dict.fromkeys(execution.leaks)
    for fault in execution.faults:
        if fault not in tally.faults:
            tally.faults[fault] = _witness(machine)
    if machine.is_stalled:
        return  # it came to no outcome
    key = (execution.stdout, _result(execution))
    if key in tally.outcomes:
        times, witness = tally.outcomes[key]
        tally.outcomes[key] = (times + 1, witness)
    elif len(tally.outcomes) < MAX_OUTCOMES:
        tally.outcomes[key] = (1, _witness(machine))


def _result(execution: Execution) -> str:
    if execution.faults:
        return "; ".join(fault.message for fault in execution.faults)
    return execution.result


def _witness(machine: Machine) -> Witness:
    return Witness(tuple(machine.kernel.record.choices), machine.grain())


def _limit_met(tally: Tally, budget: Budget, machine: Machine) -> str:
    if budget.max_executions is not None and tally.executions >= budget.max_executions:
        return f"{budget.max_executions:,} executions"
    if budget.max_seconds is not None and tally.seconds >= budget.max_seconds:
        return f"{budget.max_seconds:g} seconds"
    if machine.kernel.has_unkillable_tasks:
        return "a task that catches BaseException and cannot be stopped"
    return ""
