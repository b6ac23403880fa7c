"""A recording as it was at a moment: with what had not ended then, and with what was dead by then."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

    from parallel_cookbook.trace.recording import Recording, TracedProcess


def as_of(recording: Recording, moment: int) -> Recording:
    """Return what was recorded until `moment`, nanoseconds; what ended later had not ended."""
    return replace(
        recording,
        duration=moment,
        exit_code=None,
        processes=tuple(
            replace(process, ended=-1, exit_code=None) if process.ended > moment else process
            for process in recording.processes
        ),
        tasks=tuple(
            replace(
                task, ended=-1 if task.ended > moment else task.ended, began=min(task.began, moment)
            )
            for task in recording.tasks
        ),
        records=[record for record in recording.records if record.ended <= moment],
    )


def with_the_dead(recording: Recording, living: Container[int]) -> Recording:
    """Return the recording with an end for each process whose pid is not in `living`.

    A process that was killed could not write down its end: it ended after its last record. If one still lives
    whose main task has come to its end, it has not ended.
    """
    last = [process.began for process in recording.processes]
    for record in recording.records:
        process = recording.tasks[record.task].process
        last[process] = max(last[process], record.ended)

    def told(process: TracedProcess) -> TracedProcess:
        if process.pid in living:
            return replace(process, ended=-1)
        return process if process.ended >= 0 else replace(process, ended=last[process.index])

    return replace(recording, processes=tuple(told(process) for process in recording.processes))
