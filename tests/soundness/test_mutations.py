"""The soundness tests are themselves tested: each fault, put into the search on purpose, is found.

A fault is found if the comparison with the judges fails, or if an assertion fails in the search.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import kernel_primitives as kp
from parallel_cookbook.kernel import Kernel, Mode, Operation, Target, Task
from parallel_cookbook.kernel.record import Record
from parallel_cookbook.strategies import Dpor
from random_programs import random_program
from soundness import fault

if TYPE_CHECKING:
    from collections.abc import Callable

    Patch = Callable[[pytest.MonkeyPatch], None]


def no_blocked_operations(patch: pytest.MonkeyPatch) -> None:
    """Operations that are blocked at the end race with nothing."""
    patch.setattr(Dpor, "_find_races_of_blocked", lambda *_: None)


def blocked_operations_at_the_end_only(patch: pytest.MonkeyPatch) -> None:
    """Operations that are blocked when an execution is cut off race with nothing."""
    original = Dpor._find_races_of_blocked

    def find(self: Dpor, kernel: Kernel, depth: int) -> None:
        if not kernel.enabled():
            original(self, kernel, depth)

    patch.setattr(Dpor, "_find_races_of_blocked", find)


def no_races_of_exit(patch: pytest.MonkeyPatch) -> None:
    """The end of the program races only with what daemons did before it."""
    patch.setattr(Dpor, "_find_races_of_exit", lambda *_: None)


def need_ignored(patch: pytest.MonkeyPatch) -> None:
    """An operation could come before any event that it conflicts with, blocked or not."""
    original = Dpor._races_on_one

    def find(self: Dpor, target: Target, mode: Mode, _: object, *rest: Any) -> None:  # noqa: ANN401
        original(self, target, mode, None, *rest)

    patch.setattr(Dpor, "_races_on_one", find)


def sleepers_never_woken(patch: pytest.MonkeyPatch) -> None:
    """A task that sleeps goes on sleeping, whatever is done to its target."""
    patch.setattr(Dpor, "_independent", lambda _self, _kernel, candidates: candidates)


def one_event_in_the_way(patch: pytest.MonkeyPatch) -> None:
    """Leaving out one event must be enough to enable an operation on several targets."""
    original = Dpor._in_the_way

    def in_the_way(self: Dpor, parts: Any, removed: int, past: int) -> int:  # noqa: ANN401
        return removed if original(self, parts, removed, past) == removed else 0

    patch.setattr(Dpor, "_in_the_way", in_the_way)


def only_the_first_target(patch: pytest.MonkeyPatch) -> None:
    """An operation on several targets races on the first of them only."""
    original = Dpor._races_on_several

    def find(self: Dpor, parts: Any, *rest: Any) -> None:  # noqa: ANN401
        original(self, parts[:1], *rest)

    patch.setattr(Dpor, "_races_on_several", find)


def state_with_all(patch: pytest.MonkeyPatch) -> None:
    """Leaving out an event does not change the state of a target."""
    patch.setattr(Dpor, "_state_without", lambda _self, target, _position: target.state)


def settled_steps_forgotten(patch: pytest.MonkeyPatch) -> None:
    """A step that needs no choice leaves no trace on its target."""

    def settle(self: Record, task: Task, operation: Operation, position: int) -> None:
        past = task.past
        for target, mode, _ in operation.parts():
            past |= target.last if mode else target.last_write
        self._note_parts(task, operation, past, position, depth=-1)

    patch.setattr(Record, "settle", settle)


def notify_on_nobody_independent(patch: pytest.MonkeyPatch) -> None:
    """A notify that finds nobody waiting is independent of waits that come later."""
    original = kp.Condition.notify

    def notify(self: kp.Condition, count: int = 1) -> None:
        if self.waiting:
            original(self, count)

    patch.setattr(kp.Condition, "notify", notify)


def _as_reads(*kinds: str) -> Patch:
    """Make operations count as reads."""

    def apply(patch: pytest.MonkeyPatch) -> None:
        original = Kernel.point

        def point(self: Kernel, operation: Operation) -> None:
            if operation.kind in kinds:
                target = operation.target
                operation = Operation(
                    operation.kind, target, Mode.READ, operation.need, operation.more
                )
            original(self, operation)

        patch.setattr(Kernel, "point", point)

    return apply


def loads_independent(patch: pytest.MonkeyPatch) -> None:
    """Reading a variable is independent of writing it."""

    def load(self: kp.Variable) -> int:
        self.kernel.point(Operation("load", Target(self.target.uid, "copy"), Mode.READ))
        return self.value

    patch.setattr(kp.Variable, "load", load)


def reversed_only_if_enabled(patch: pytest.MonkeyPatch) -> None:
    """A race is given up if its second event's task is not enabled where it should come first."""
    original = Dpor._reverse

    def reverse(self: Dpor, removed: int, second: int, task: int, before: int) -> None:
        first = (removed & -removed).bit_length() - 1
        if self._nodes[first].enabled >> task & 1:
            original(self, removed, second, task, before)

    patch.setattr(Dpor, "_reverse", reverse)


FAULTS: dict[str, tuple[Patch, int]] = {
    "no blocked operations": (no_blocked_operations, 60),
    "blocked at the end only": (blocked_operations_at_the_end_only, 200),
    "no races of exit": (no_races_of_exit, 200),
    "need ignored": (need_ignored, 60),
    "sleepers never woken": (sleepers_never_woken, 60),
    "one event in the way": (one_event_in_the_way, 300),
    "only the first target": (only_the_first_target, 200),
    "state with all": (state_with_all, 60),
    "settled steps forgotten": (settled_steps_forgotten, 400),
    "notify on nobody": (notify_on_nobody_independent, 400),
    "semaphores independent": (_as_reads("enter", "acquire"), 60),
    "gets independent": (_as_reads("get"), 60),
    "loads independent": (loads_independent, 60),
    "reversed only if enabled": (reversed_only_if_enabled, 60),
}
"""For each fault: how many programs find it, at most."""


MADE_OF: dict[str, tuple[str, ...]] = {
    "one event in the way": ("several", "plain locks"),
    "state with all": ("several", "semaphores"),
}
"""What the programs are made of, where few of all programs would show the fault."""


def programs_until_found(name: str, max_programs: int, size: int = 6) -> int | None:
    """Return how many random programs are right before one is not; None if all are."""
    for count in range(max_programs):
        program = random_program(f"mutation/{size}/{count}", size, MADE_OF.get(name, ()))
        try:
            message = fault(program, max_executions=200)
        except AssertionError:
            return count
        if message:
            return count
    return None


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_the_search_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each fault is found by the stated number of random programs."""
    apply, max_programs = FAULTS[name]
    apply(monkeypatch)
    assert programs_until_found(name, max_programs) is not None
