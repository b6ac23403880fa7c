"""The verb `check`: explore every interleaving of a program, or the most that the budget allows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from parallel_cookbook.check.execution import MAX_FAULTS, Machine
from parallel_cookbook.check.explain import NarratingHooks, narrate
from parallel_cookbook.check.exploration import Budget, Tally, Witness, explore
from parallel_cookbook.check.lock_order import describe
from parallel_cookbook.check.program import Entry
from parallel_cookbook.check.races import race_warnings
from parallel_cookbook.check.remarks import remarks
from parallel_cookbook.check.result import CheckReport, Failure, Outcome, Verdict, Warning_
from parallel_cookbook.check.schedule import Replay, decode, encode
from parallel_cookbook.check.shrink import shrink
from parallel_cookbook.check.stall import stall_fault_at
from parallel_cookbook.check.watchdog import DEFAULT_STALL_S, Watchdog
from parallel_cookbook.errors import UsageError
from parallel_cookbook.strategies import Auto, Bounded, Dfs, Dpor, Pct, Pos, RandomWalk, Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from parallel_cookbook.check.fault import Fault
    from parallel_cookbook.events import Interleaving

__all__ = [
    "DEFAULT_STALL_S",
    "Budget",
    "CheckReport",
    "Entry",
    "Failure",
    "Outcome",
    "Tally",
    "check_entry",
    "found_so_far",
    "replay_entry",
    "replay_report",
    "stall_report",
]

STRATEGIES: dict[str, Callable[[int], Strategy]] = {
    "auto": Auto,
    "dpor": lambda _seed: Dpor(),
    "dfs": lambda _seed: Dfs(),
    "bounded": lambda _seed: Bounded(),
    "pct": Pct,
    "pos": Pos,
    "random": RandomWalk,
}
"""What `--strategy` may name: each makes a new search from a seed."""
DEFAULT_MAX_STEPS = 20_000
DEFAULT_BUDGET = Budget()


def check_entry(
    entry: Entry,
    *,
    target: str,
    strategy: str = "auto",
    seed: int = 0,
    budget: Budget = DEFAULT_BUDGET,
    max_steps: int = DEFAULT_MAX_STEPS,
    include: Sequence[str] = (),
    races: str = "warn",
    keep_going: bool = False,
    max_stall_s: float = DEFAULT_STALL_S,
    faults: int = 0,
    on_look: Callable[[bool], None] = lambda _is_watching: None,
    on_progress: Callable[[Tally], None] = lambda _tally: None,
    new_machine: Callable[..., Machine] = Machine,
) -> CheckReport:
    """Explore the program that begins at `entry`; return what can happen, and whether that is all.

    races: "ignore", "warn" or "error", for accesses that nothing orders.
    keep_going: look for all failures, not only the first.
    max_stall_s: how long the program may be busy with what the check does not control.
    faults: up to so many processes, but never the first, are killed in an execution, anywhere.
    on_look: called now and then as a sign of life, with whether the program is being watched.
    new_machine: makes what executes the program, for those who look at each execution besides.

    Raises UsageError if the entry cannot be loaded, the strategy is unknown, or `faults` is not 0 to 9.
    """
    if not 0 <= faults <= MAX_FAULTS:
        raise UsageError(f"faults is {faults}; it must be from 0 to {MAX_FAULTS}")
    if strategy not in STRATEGIES:
        names = ", ".join(STRATEGIES)
        raise UsageError(f"there is no strategy {strategy!r}; choose one of {names}")
    machine = new_machine(entry, include=include, max_steps=max_steps, faults=faults)
    narrating = partial(
        new_machine, entry, include=include, max_steps=max_steps, hooks=NarratingHooks
    )
    with Watchdog(machine, max_stall_s, budget.max_seconds, on_look):
        tally = explore(
            machine,
            lambda: STRATEGIES[strategy](seed),
            budget,
            stop_at_first=not keep_going,
            on_progress=on_progress,
        )
    stories: list[Interleaving] = []
    failures = [
        _failure(narrating(), fault, witness, stories=stories)
        for fault, witness in tally.faults.items()
    ]
    story = _any_story(machine, narrating, tally)
    warnings = [] if races == "ignore" else _race_warnings(machine, story)
    inversions = [] if failures else _inversion_warnings(tally)
    if races == "error":
        failures += [_as_failure(warning) for warning in warnings]
        warnings = []
    return CheckReport(
        target=target,
        verdict=_verdict(tally, failures),
        exhaustive=tally.is_exhaustive,
        strategy=strategy,
        executions=tally.executions,
        steps=tally.steps,
        seconds=tally.seconds,
        failures=failures,
        warnings=warnings + inversions,
        outcomes=[
            Outcome(stdout, result, times, encode(witness.steps, witness.visible))
            for (stdout, result), (times, witness) in tally.outcomes.items()
        ],
        redundant=tally.redundant,
        unexplored=tally.limit,
        faults=faults,
        notes=list(_notes(machine)),
        remarks=remarks(tally.leaks, stories if story is None else [*stories, story]),
    )


def found_so_far(tally: Tally) -> list[Failure]:
    """Return what an exploration that was interrupted had found, with schedules that nobody has shrunk."""
    return [
        Failure(
            fault.kind,
            fault.message,
            fault.task,
            fault.location,
            0,
            encode(witness.steps, witness.visible) if fault.is_repeatable else "",
        )
        for fault, witness in tally.faults.items()
    ]


def _notes(machine: Machine) -> Iterator[str]:
    """Yield in what the check differs from what the program asks for."""
    asked = sorted(machine.start_methods - {"spawn"})
    if asked:
        yield (
            f"the program starts processes by {' and '.join(asked)}; they are checked as spawn starts them: "
            "nothing is inherited but what is handed over"
        )


def replay_entry(
    entry: Entry,
    schedule: str,
    *,
    include: Sequence[str] = (),
    max_steps: int = DEFAULT_MAX_STEPS,
    new_machine: Callable[..., Machine] = Machine,
) -> tuple[Interleaving, list[Fault], str]:
    """Execute the program under one schedule; return what happened, what went wrong, what it printed.

    Raises ReplayMismatchError if `schedule` is none, or the program does something else.
    """
    replay, visible = decode(schedule)
    machine = new_machine(entry, include=include, max_steps=max_steps, hooks=NarratingHooks)
    story, execution = narrate(machine, replay, visible)
    replay.finish(was_cut=execution.met_limit)
    return story, execution.faults, execution.stdout


def replay_report(
    target: str, schedule: str, story: Interleaving, faults: Sequence[Fault], stdout: str
) -> CheckReport:
    """Return what `replay_entry` gave as the report of a check of one execution.

    The verdict is "fail" if it goes wrong as recorded; else "unknown": one execution proves nothing.
    """
    killed = tuple(_killed(story))
    failures = [
        Failure(
            fault.kind,
            fault.message,
            fault.task,
            fault.location,
            story.preemptions,
            schedule,
            killed,
        )
        for fault in faults
    ]
    result = "; ".join(failure.message for failure in failures)
    return CheckReport(
        target,
        "fail" if failures else "unknown",
        exhaustive=False,
        strategy="replay",
        executions=1,
        steps=len(story.events),
        seconds=0.0,
        failures=failures,
        outcomes=[Outcome(stdout, result, 1, schedule)],
        unexplored="" if failures else "one schedule",
    )


def stall_report(
    entry: Entry, target: str, places: Sequence[tuple[str, int]], stall_s: float
) -> CheckReport:
    """Return the report of a check that another process had to end.

    places: where it stood still, the innermost file and line first.
    """
    fault = stall_fault_at(entry, places, stall_s)
    failure = Failure(fault.kind, fault.message, fault.task, fault.location, 0, "")
    return CheckReport(
        target,
        "error",
        exhaustive=False,
        strategy="",
        executions=1,
        steps=0,
        seconds=stall_s,
        failures=[failure],
    )


def _verdict(tally: Tally, failures: list[Failure]) -> Verdict:
    kinds = {failure.kind for failure in failures}
    if kinds == {"unsupported"}:
        return "error"
    if kinds - {"step-limit", "unsupported"}:
        return "fail"
    if kinds:
        return "unknown"  # it was cut off: nothing is known to go wrong
    return "pass" if tally.is_exhaustive else "unknown"


def _failure(
    machine: Machine, fault: Fault, witness: Witness, *, stories: list[Interleaving]
) -> Failure:
    """Make the schedule of a fault as short as may be, and tell what it does: add that to `stories`."""
    if not fault.is_repeatable:
        return Failure(fault.kind, fault.message, fault.task, fault.location, 0, "")
    best = shrink(machine, fault, witness)
    replay = Replay(best.steps)
    story, _ = narrate(machine, replay, best.visible)
    stories.append(story)
    schedule = encode(best.steps, best.visible, replay.seal)
    return Failure(
        fault.kind,
        fault.message,
        fault.task,
        fault.location,
        story.preemptions,
        schedule,
        tuple(_killed(story)),
    )


def _killed(story: Interleaving) -> Iterator[str]:
    """Yield which processes faults have killed in a story, and where."""
    for event in story.events:
        if event.kind == "killed":
            place = f" at {event.file}:{event.line}" if event.line else ""
            yield f"{story.tasks[event.task]}{place}"


def _any_story(
    machine: Machine, narrating: Callable[[], Machine], tally: Tally
) -> Interleaving | None:
    """Tell one execution if there is something to be seen in it that an exploration does not note.

    That is, who holds which locks where accesses race, and what becomes of copies that proxies give out.
    """
    witnesses = [*tally.faults.values(), *(witness for _, witness in tally.outcomes.values())]
    has_races = machine.memory.races or machine.shared_races.races
    if not (has_races or machine.has_copies) or not witnesses or machine.is_stalled:
        return None
    story, _ = narrate(narrating(), Replay(witnesses[0].steps), witnesses[0].visible)
    return story


def _race_warnings(machine: Machine, story: Interleaving | None) -> list[Warning_]:
    """Warn of the races that were found; `story` says which locks are held there."""
    races, shared = machine.memory.races.values(), machine.shared_races.races.values()
    return race_warnings(races, shared, machine.sites, story)


def _inversion_warnings(tally: Tally) -> list[Warning_]:
    return [
        Warning_("lock-order", describe(cycle), cycle[-1].task, cycle[-1].place)
        for cycle in tally.inversions
    ]


def _as_failure(warning: Warning_) -> Failure:
    """Make a race fail the check; nothing has to be shrunk, for it was seen in every schedule."""
    return Failure("data-race", warning.message, warning.task, warning.location, 0, "")
