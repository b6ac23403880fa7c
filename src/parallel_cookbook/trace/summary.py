"""All that is concluded from a recording, as one value, from which text, JSON and pictures are made."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parallel_cookbook.trace.advice import advice_of
from parallel_cookbook.trace.collecting import without_collecting
from parallel_cookbook.trace.contention import calls_of, contention_of
from parallel_cookbook.trace.critical_path import Deeds, critical_path, shares_of
from parallel_cookbook.trace.hang import hang_of
from parallel_cookbook.trace.hang_words import diagnosis_of
from parallel_cookbook.trace.states import State, has_samples, states_of
from parallel_cookbook.trace.waits import life_of, waits_of
from parallel_cookbook.trace.words import Words

if TYPE_CHECKING:
    from parallel_cookbook.trace.contention import CallUse, Contention, LockUse, QueueUse
    from parallel_cookbook.trace.critical_path import CriticalPath
    from parallel_cookbook.trace.hang import Hang
    from parallel_cookbook.trace.hang_words import Diagnosis
    from parallel_cookbook.trace.recording import Recording
    from parallel_cookbook.trace.states import Stretch
    from parallel_cookbook.trace.waits import Wait


@dataclass(frozen=True, slots=True)
class TaskUse:
    """What a task did with its life; nanoseconds."""

    task: int
    lived: int
    spent: dict[State, int]
    """By state; together as long as it lived."""


@dataclass(frozen=True, slots=True)
class Summary:
    """All conclusions from one recording; nothing here that is not in the recording."""

    recording: Recording
    words: Words
    waits: tuple[tuple[Wait, ...], ...]
    states: tuple[tuple[Stretch, ...], ...]
    contention: Contention
    deeds: Deeds
    tasks: tuple[TaskUse, ...]
    locks: tuple[LockUse, ...]
    """Those for which tasks waited longest first."""
    queues: tuple[QueueUse, ...]
    """Those at which tasks waited longest first."""
    calls: tuple[CallUse, ...]
    """Of managers' objects: those for which tasks waited longest first."""
    parallelism: float
    """How many tasks ran at once, on average over the run."""
    knows_gil: bool
    """Whether running could be told apart from waiting for the GIL; if not, `parallelism` counts both."""
    path: CriticalPath
    path_shares: dict[tuple[int, str], int]
    """How long each task was on the critical path, by what it did there; the largest first."""
    hang: Hang | None
    """For a run that was interrupted while it hung."""
    diagnosis: Diagnosis | None
    advice: str
    """What to look at first: one sentence."""


@without_collecting
def summarise(recording: Recording, *, was_cut_off: bool = False) -> Summary:
    """Return what a recording means.

    was_cut_off: the run was ended, or is looked at while it runs: say who waits for whom.
    Cost: some µs for each record.
    """
    waits = waits_of(recording)
    states = states_of(recording, waits)
    contention = contention_of(recording, waits)
    deeds = Deeds(recording)
    path = critical_path(recording, states, deeds)
    tasks = tuple(_task_use(recording, task, states[task]) for task in range(len(states)))
    running = sum(use.spent.get(State.RUNNING, 0) for use in tasks)
    hang = hang_of(recording, waits, contention) if was_cut_off else None
    diagnosis = diagnosis_of(recording, hang) if hang else None
    words = Words(recording)
    return Summary(
        recording,
        words,
        waits,
        states,
        contention,
        deeds,
        tasks,
        tuple(sorted(contention.locks.values(), key=lambda use: (-use.waited, -use.acquired))),
        tuple(
            sorted(
                contention.queues.values(),
                key=lambda use: (-use.starved - use.held_up, -use.put),
            )
        ),
        calls_of(waits),
        running / recording.duration if recording.duration else 0.0,
        has_samples(recording),
        path,
        shares_of(path.pieces),
        hang,
        diagnosis,
        diagnosis.headline
        if hang and hang.stuck and diagnosis
        else advice_of(recording, words, states, contention, path),
    )


def _task_use(recording: Recording, task: int, stretches: tuple[Stretch, ...]) -> TaskUse:
    begin, end = life_of(recording, task)
    spent: Counter[State] = Counter()
    for stretch in stretches:
        spent[stretch.state] += stretch.end - stretch.begin
    return TaskUse(task, end - begin, dict(spent))
