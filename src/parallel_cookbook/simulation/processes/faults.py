"""Faults as choices: any process but the program's first may be killed, before any of its steps.

Guarantees: with `Kernel.max_faults` at n, each way to kill up to n processes of an execution, wherever each
of them is then, is a schedule of its own; so is each way to kill fewer, or none. What follows is what
follows from SIGKILL: nothing is cleaned up, locks stay held, what a feeder has not fed is lost.

A fault is a single step of a task without code, one for each process. It writes the life of the process,
with which each step of the process conflicts; so it is tried before each of them. That no more faults come
is a step as well, and an execution does not end, nor is it stuck, while more may come. Without that step a
fault that lets the others go on would hide that they are stuck.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parallel_cookbook.kernel import Mode, Operation

if TYPE_CHECKING:
    from parallel_cookbook.kernel import Kernel, Target
    from parallel_cookbook.simulation.processes.spawning import Popen

_ALIVE = 1
_SIGKILL = 9


def _is_positive(state: int) -> bool:
    return state > 0


def _is_zero(state: int) -> bool:
    return state == 0


def _is_alive(state: int) -> bool:
    return state == _ALIVE


def expose(kernel: Kernel, popen: Popen) -> None:
    """Let the process, which is about to start, be killed anywhere, if there are to be faults."""
    if not kernel.max_faults:
        return
    left = _faults_left(kernel)
    group, done = popen.group, popen.task.done

    def operation() -> Operation:
        more = [
            (done, Mode.WRITE, _is_alive),
            (left, Mode.WRITE, _is_positive),
            (kernel.process, Mode.READ, None),
        ]
        # It takes all that the process holds open with it.
        ends = [*popen.inherited, *popen.state.ends.values()]
        more += [(end.handles, Mode.READ, None) for end in dict.fromkeys(ends)]
        return Operation("killed", group.life, Mode.WRITE, None, tuple(more))

    def strike() -> None:
        left.state -= 1
        popen.end(-_SIGKILL)

    fault = kernel.add_effect(f"fault of {popen.task.name}", operation(), strike, is_certain=False)

    def renew() -> None:
        if fault.operation is not None:
            fault.operation = operation()

    popen.state.on_new_end = renew


def _faults_left(kernel: Kernel) -> Target:
    """Return the target whose state is how many faults may still come."""
    left: Target | None = kernel.state.get("faults left")
    if left is not None:
        return left
    left = kernel.state["faults left"] = kernel.shared_target("faults left")
    left.state = kernel.max_faults

    def spare() -> None:
        left.state = 0

    more = ((kernel.process, Mode.READ, None),)
    operation = Operation("no fault", left, Mode.WRITE, _is_positive, more)
    kernel.add_effect("no fault", operation, spare, is_certain=False)
    kernel.let_exit_wait_for(left, _is_zero)
    return left
