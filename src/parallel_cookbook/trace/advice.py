"""What to look at first, in one sentence: what made the run as long as it was, and what to do about it.

Each candidate is given the share of the run that it cost on the critical path, because nothing else makes the
run longer; the largest is told, if it is worth it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from typing import TYPE_CHECKING

from parallel_cookbook.trace.recording import Kind
from parallel_cookbook.trace.states import State
from parallel_cookbook.trace.words import percent, span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from parallel_cookbook.trace.contention import Contention
    from parallel_cookbook.trace.critical_path import CriticalPath
    from parallel_cookbook.trace.recording import Recording
    from parallel_cookbook.trace.states import Stretch
    from parallel_cookbook.trace.words import Words

_WORTH_IT = 0.1
"""The share of the run from which on a cause is told."""
_AT_ONCE_NS = 50_000_000
"""A program that is over in this time needs no advice."""
_THREAD_STARTS_NS = 5_000_000
"""A thread that takes longer than this to start has waited for the GIL or a processor."""
_NOT_THE_OTHERS_DOING = frozenset({"start", State.READY})
"""What is on the path while a task waits for another one, and is not what the other one does."""
_OWN_DOING = frozenset({State.RUNNING, State.GIL, State.UNKNOWN})
_NEARLY_ALL = 0.8
_MUCH = 0.3
_HALF = 0.5
_SOON_FAILED_NS = 1_000_000_000
"""Nanoseconds: what a program may take to import all it needs, before an exception ends it."""
_SAYS_NOTHING = frozenset({Kind.BEGIN, Kind.END, Kind.SAMPLE, Kind.COLLECT})


def failed_at_once(recording: Recording) -> bool:
    """Whether an exception ended the program before it did anything with threads or processes."""
    return (
        len(recording.tasks) == 1
        and recording.duration < _SOON_FAILED_NS
        and all(record.kind in _SAYS_NOTHING for record in recording.records)
        and any(record.kind == Kind.END and record.value > 0 for record in recording.records)
    )


def advice_of(
    recording: Recording,
    words: Words,
    states: Sequence[Sequence[Stretch]],
    contention: Contention,
    path: CriticalPath,
) -> str:
    """Return what to look at first."""
    if not recording.duration or not path.pieces:
        return "Nothing was recorded: the program ended before it did anything with threads or processes."
    if failed_at_once(recording):
        return (
            "The program ended at once with an exception, before it did anything with threads or processes: "
            "see its traceback."
        )
    if recording.duration < _AT_ONCE_NS and len(recording.tasks) > 1:
        return (
            f"It was over after {span(recording.duration)}: too short for its waits to matter, so there is "
            "nothing to make quicker."
        )
    adviser = _Adviser(recording, words, states, contention, path)
    share, sentence = max(adviser.candidates(), key=lambda found: found[0], default=(0.0, ""))
    if share >= _WORTH_IT:
        return sentence
    return adviser.otherwise()


class _Adviser:
    def __init__(
        self,
        recording: Recording,
        words: Words,
        states: Sequence[Sequence[Stretch]],
        contention: Contention,
        path: CriticalPath,
    ) -> None:
        self._recording = recording
        self._words = words
        self._states = states
        self._contention = contention
        self._path = path
        self._whole = max(recording.duration, 1)

    def candidates(self) -> Iterator[tuple[float, str]]:
        """Yield the causes that were found: what share of the run each cost, and a sentence."""
        yield from self._locks()
        yield from self._queues()
        yield from self._gil()
        yield from self._sleeps()
        yield from self._starts()
        yield from self._machine()

    def _share(self, part: float) -> float:
        return min(part / self._whole, 1.0)

    def _lost_at(self, *kinds: Kind) -> Counter[int]:
        """Return how long tasks on the path waited for what others did, by the thing.

        Not counted: while the other one had not started yet, or had no processor.
        """
        lost: Counter[int] = Counter()
        for jump in self._path.jumps:
            wait = jump.wait
            if wait.kind in kinds:
                others = self._passed_otherwise(wait.began, wait.ended)
                lost[wait.thing] += wait.ended - wait.began - others
        return lost

    def _passed_otherwise(self, begin: int, end: int) -> int:
        """Return how much of a stretch of the path was neither work nor a wait of anybody."""
        pieces = self._path.pieces
        first = bisect_right(pieces, begin, key=lambda piece: piece.end)
        passed = 0
        for place in range(first, len(pieces)):
            piece = pieces[place]
            if piece.begin >= end:
                break
            if piece.what in _NOT_THE_OTHERS_DOING:
                passed += min(piece.end, end) - max(piece.begin, begin)
        return passed

    def _locks(self) -> Iterator[tuple[float, str]]:
        words = self._words
        for thing, lost in self._lost_at(Kind.ACQUIRE).items():
            use = self._contention.locks.get(thing)
            if use is None or use.worst_blocked <= 0:
                continue
            source = words.source(use.worst_site)
            line = f" ({source})" if source else ""
            yield (
                self._share(lost),
                (
                    f"Look first at {words.a_thing(thing)}: tasks waited {span(use.waited)} for it, "
                    f"{percent(use.worst_blocked, use.waited)} of that while it was held from "
                    f"{words.place(use.worst_site) or 'somewhere'}{line}, mostly by "
                    f"{words.task(use.worst_task)}; do less while it is held, or share less."
                ),
            )

    def _queues(self) -> Iterator[tuple[float, str]]:
        words = self._words
        for inward, kinds in ((False, (Kind.GET, Kind.RECEIVE)), (True, (Kind.PUT, Kind.SEND))):
            for thing, lost in self._lost_at(*kinds).items():
                slow = Counter(
                    jump.deed.task
                    for jump in self._path.jumps
                    if jump.wait.thing == thing and jump.wait.kind in kinds
                )
                use = self._contention.queues[thing]
                waited = use.held_up if inward else use.starved
                others = "puts into" if inward else "takes from"
                does = "take something out" if inward else "put something in"
                yield (
                    self._share(lost),
                    (
                        f"Look first at {words.task(slow.most_common(1)[0][0])}: who {others} "
                        f"{words.a_thing(thing)} waited {span(waited)} for it to {does}; make it "
                        "quicker, or let "
                        "several do its work."
                    ),
                )

    def _gil(self) -> Iterator[tuple[float, str]]:
        lost = sum(
            piece.end - piece.begin for piece in self._path.pieces if piece.what == State.GIL
        )
        waited: Counter[int] = Counter()
        for task, stretches in enumerate(self._states):
            waited[task] = sum(s.end - s.begin for s in stretches if s.state == State.GIL)
        tasks = [task for task, spent in waited.most_common() if spent > self._whole * _WORTH_IT]
        if lost and tasks:
            yield (
                self._share(lost),
                (
                    f"Look first at the GIL: {self._words.tasks(tasks)} compute in one process, where "
                    "one thread "
                    f"at a time runs Python code, and waited {span(sum(waited.values()))} for each "
                    "other; let "
                    "processes compute."
                ),
            )

    def _sleeps(self) -> Iterator[tuple[float, str]]:
        slept: Counter[tuple[int, int]] = Counter()
        for piece in self._path.pieces:
            if piece.what == State.SLEEPING and piece.wait:
                slept[piece.task, piece.wait.site] += piece.end - piece.begin
        for (task, site), spent in slept.items():
            yield (
                self._share(spent),
                (
                    f"Look first at the sleep{self._words.at(site)}: {self._words.task(task)} slept "
                    f"{span(spent)} of the run's {span(self._whole)} there, and nothing else went on "
                    "that the "
                    "end waited for."
                ),
            )

    def _starts(self) -> Iterator[tuple[float, str]]:
        starts = [
            piece
            for piece in self._path.pieces
            if piece.what == "start"
            and (
                self._recording.tasks[piece.task].is_main
                or piece.end - piece.begin < _THREAD_STARTS_NS
            )
        ]
        spent = sum(piece.end - piece.begin for piece in starts)
        if starts:
            yield (
                self._share(spent),
                (
                    f"Look first at what it costs to start: {span(spent)} of the run's "
                    f"{span(self._whole)} passed "
                    "before what was started ran; start fewer, and give each more to do."
                ),
            )

    def _machine(self) -> Iterator[tuple[float, str]]:
        kept = sum(
            piece.end - piece.begin for piece in self._path.pieces if piece.what == State.READY
        )
        if self._share(kept) >= _MUCH:
            yield (
                self._share(kept),
                (
                    f"Look first at the machine: for {percent(kept, self._whole)} of the run, what "
                    "could go on had no "
                    "processor, because others had them; trace it again when the machine has less to do."
                ),
            )

    def otherwise(self) -> str:
        """Return what to say when nobody waited much for anybody."""
        words, whole = self._words, self._whole
        cores = max(self._recording.cores, 1)
        running = sum(
            stretch.end - stretch.begin
            for stretches in self._states
            for stretch in stretches
            if stretch.state == State.RUNNING
        )
        at_once = running / whole
        on_path: Counter[int] = Counter()
        outside: Counter[int] = Counter()
        for piece in self._path.pieces:
            if piece.what in _OWN_DOING:
                on_path[piece.task] += piece.end - piece.begin
            if piece.what == State.UNKNOWN:
                outside[piece.task] += piece.end - piece.begin
        task, spent = max(on_path.items(), key=lambda item: item[1], default=(0, 0))
        if outside[task] >= _MUCH * whole and whole >= self._recording.start_up:
            return (
                f"Look first at {words.task(task)}: for {percent(outside[task], whole)} of the run it waited "
                "outside of Python (for a file, a socket, another program), and the end waited for it."
            )
        if len(self._recording.tasks) == 1:
            return f"{words.task(task)} did everything alone: nothing here could wait for anything."
        if whole < self._recording.start_up:
            return (
                f"The program took {span(whole)}, less than Python itself to start: it is too short for its "
                "waits to matter."
            )
        if at_once >= _NEARLY_ALL * cores:
            return (
                f"{at_once:.1f} tasks ran at once on {cores} cores: nothing stands in the way; to be "
                "faster, do "
                "less work."
            )
        if spent >= _HALF * whole:
            return (
                f"Look first at {words.task(task)}: for {percent(spent, whole)} of the run the end waited "
                "for what it did, whatever the others did meanwhile; make that quicker, or share it out."
            )
        return (
            f"Look first at the critical path: {at_once:.1f} tasks ran at once on {cores} cores, and "
            "no single "
            "wait explains why there were not more."
        )
