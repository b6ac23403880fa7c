"""Says in words why a run does not go on: a line for each task that waits, the culprit, and the way out."""

from __future__ import annotations

import signal
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parallel_cookbook.trace.hang import is_feeder, lives
from parallel_cookbook.trace.recording import Kind
from parallel_cookbook.trace.words import Words, count, span

if TYPE_CHECKING:
    from parallel_cookbook.trace.contention import Hold
    from parallel_cookbook.trace.hang import Hang, Stuck
    from parallel_cookbook.trace.recording import Recording, TracedProcess
    from parallel_cookbook.trace.waits import Wait


_OF_PIPES = "Let one side receive before it sends, or receive in a thread of its own."
_OF_POOLS = (
    "A Pool does not notice that a worker was killed; concurrent.futures.ProcessPoolExecutor raises "
    "BrokenProcessPool."
)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A hang in words."""

    headline: str
    """One sentence that names the culprit, its line, and who waits there."""
    remedy: str
    """One sentence: what to change."""
    lines: tuple[tuple[int, str], ...]
    """For each task that waits, its index and what for: "main waits at bank.py:12 for lock a, held by …"."""
    cycle: str
    """"T1 → T2 → T1", or empty."""


def diagnosis_of(recording: Recording, hang: Hang) -> Diagnosis:
    """Return a hang in words."""
    return _Teller(recording, hang).tell()


class _Teller:
    def __init__(self, recording: Recording, hang: Hang) -> None:
        self._recording = recording
        self._hang = hang
        self._words = Words(recording)

    def tell(self) -> Diagnosis:
        headline, remedy = self._culprit()
        words = self._words
        cycle = self._hang.cycle
        return Diagnosis(
            headline,
            remedy,
            tuple(
                (one.task, f"{words.task(one.task)} {self.waits(one)}") for one in self._hang.stuck
            ),
            " → ".join(words.task(task) for task in (*cycle, cycle[0])) if cycle else "",
        )

    # Each task's line.

    def waits(self, stuck: Stuck) -> str:
        """Return what a task waits for, from "waits" on."""
        wait = stuck.wait
        return f"waits{self._words.at(wait.site)} {self._goal(stuck)}"

    def _goal(self, stuck: Stuck) -> str:
        wait, words = stuck.wait, self._words
        thing = words.a_thing(wait.thing)
        if wait.kind == Kind.ACQUIRE:
            return f"for {thing}{self._held_by(stuck)}"
        if wait.kind == Kind.BARRIER:
            return f"at {thing} for {self._missing(wait)}"
        if wait.thing < 0 and wait.kind != Kind.JOIN:
            return "for one of several things"
        if wait.kind == Kind.WAIT:
            kind = self._recording.things[wait.thing].kind if wait.thing >= 0 else ""
            return f"for {thing} to be set" if kind == "event" else f"to be notified by {thing}"
        goals = {
            Kind.JOIN: f"for {words.task(wait.value)} to end",
            Kind.PUT: f"for room in {thing}",
            Kind.GET: f"for an item in {thing}",
            Kind.QUEUE_JOIN: f"until all items of {thing} are done",
            Kind.SEND: f"for room in {thing}, to send",
            Kind.RECEIVE: f"for a message from {thing}",
            Kind.RESULT: f"for a result from {thing}",
            Kind.CALL: f"for the manager's answer to {words.call(wait.thing, wait.value)}",
        }
        return goals.get(wait.kind, f"for {thing}")

    def _held_by(self, stuck: Stuck) -> str:
        holds = stuck.held_by
        if not holds:
            return ""
        if len(holds) > 1:
            return f", whose places are held by {self._words.tasks(hold.task for hold in holds)}"
        [hold] = holds
        taken = f" (taken at {self._words.place(hold.site)})" if hold.site >= 0 else ""
        if hold.task == stuck.task:
            return f", held by itself{taken}"
        end = "" if lives(self._recording, hold.task) else f", which {self._fate(hold.task)}"
        return f", held by {self._words.task(hold.task)}{taken}{end}"

    def _missing(self, wait: Wait) -> str:
        parties = self._recording.things[wait.thing].capacity
        arrived = sum(
            one.wait.kind == Kind.BARRIER and one.wait.thing == wait.thing
            for one in self._hang.stuck
        )
        return f"the others: {arrived} of {parties} have arrived" if parties else "the others"

    def _fate(self, task: int) -> str:
        """Return how a task that no longer lives ended: "was killed by SIGKILL", "has ended"."""
        traced = self._recording.tasks[task]
        process = self._recording.processes[traced.process]
        killed = _killed(process)
        return killed if killed and traced.ended < 0 else "has ended"

    # The culprit.

    def _culprit(self) -> tuple[str, str]:
        hang = self._hang
        if not hang.stuck:
            return (
                "Nobody waits for anything that was recorded: the program computes, or waits outside.",
                ("Look at the stacks."),
            )
        for tell in (
            self._of_the_dead,
            self._of_unread_messages,
            self._of_full_pipes,
            self._of_a_cycle,
            self._of_the_last,
        ):
            found = tell()
            if found:
                return found
        raise AssertionError("the last one always tells")

    def _blamed(self) -> list[Stuck]:
        """Return those of the deadlock, or all that wait if there is none."""
        doomed = [one for one in self._hang.stuck if one.task in self._hang.doomed]
        return doomed or list(self._hang.stuck)

    def _of_the_dead(self) -> tuple[str, str] | None:
        """Somebody was killed, or ended, and others still wait for what it would have done."""
        words = self._words
        for one in self._blamed():
            for task in one.dead:
                fate = self._fate(task)
                name = words.task(task)
                if one.wait.kind == Kind.ACQUIRE:
                    hold = next(hold for hold in one.held_by if hold.task == task)
                    return (
                        (
                            f"{name} {fate} with {words.thing(one.wait.thing)} in its hands (taken"
                            f"{words.at(hold.site)}), and {words.task(one.task)} waits for it"
                            f"{words.at(one.wait.site)}."
                        ),
                        "Take the lock in a with statement, and let nobody kill who may hold it.",
                    )
                if one.wait.kind == Kind.RESULT and fate != "has ended":
                    doing = self._last_site(task)
                    waiting = f"{words.task(one.task)} waits{words.at(one.wait.site)}"
                    return (
                        (
                            f"{name} {fate} in the midst of a piece of work{words.at(doing)}, and {waiting} "
                            "for the result, which never comes."
                        ),
                        _OF_POOLS,
                    )
        return None

    def _last_site(self, task: int) -> int:
        sites = (
            record.site
            for record in reversed(self._recording.records)
            if record.task == task and record.site >= 0
        )
        return next(sites, -1)

    def _of_a_cycle(self) -> tuple[str, str] | None:
        cycle = self._hang.cycle
        ones = [one for task in cycle if (one := self._hang.of(task))]
        if not ones:
            return None
        words = self._words
        if len(ones) == 1:
            return self._of_itself(ones[0])
        told = "; ".join(
            f"{words.task(one.task)}{self._having(one)} {self.waits(one)}" for one in ones
        )
        if all(one.wait.kind == Kind.ACQUIRE for one in ones):
            things = dict.fromkeys(words.thing(one.wait.thing) for one in ones)
            return (
                f"Deadlock: {told}.",
                f"Take {' and '.join(things)} in the same order everywhere.",
            )
        if all(one.wait.kind == Kind.SEND for one in ones):
            return (
                f"Deadlock, the pipe is full both ways: {told}.",
                _OF_PIPES,
            )
        return f"Deadlock: {told}.", self._remedy_of_a_mixed_cycle(ones)

    def _having(self, one: Stuck) -> str:
        """Return " holds a (taken at bank.py:12) and" of what others in the cycle wait for, or nothing."""
        wanted = {other.wait.thing for other in self._hang.stuck if other.wait.kind == Kind.ACQUIRE}
        held = [self._hold(hold) for hold in one.holds if hold.thing in wanted]
        return f" holds {' and '.join(held)} and" if held else ""

    def _hold(self, hold: Hold) -> str:
        place = self._words.place(hold.site)
        return self._words.thing(hold.thing) + (f" (taken at {place})" if place else "")

    def _remedy_of_a_mixed_cycle(self, ones: list[Stuck]) -> str:
        words = self._words
        joiner = next((one for one in ones if one.wait.kind == Kind.JOIN), None)
        locker = next((one for one in ones if one.wait.kind == Kind.ACQUIRE), None)
        if joiner and locker:
            return (
                f"Give {words.thing(locker.wait.thing)} back before waiting for "
                f"{words.task(joiner.wait.value)} to end."
            )
        return "Let one of them go on without waiting for the other."

    def _of_itself(self, one: Stuck) -> tuple[str, str]:
        words = self._words
        if one.wait.kind == Kind.ACQUIRE:
            thing = words.thing(one.wait.thing)
            return (
                f"Deadlock: {words.task(one.task)} {self.waits(one)}.",
                f"A Lock cannot be taken twice: make {thing} an RLock, or call what needs no lock.",
            )
        return f"Deadlock: {words.task(one.task)} {self.waits(one)}, which is itself.", (
            "No task can wait for its own end."
        )

    def _of_unread_messages(self) -> tuple[str, str] | None:
        """Somebody joins a process that cannot end before its messages are read."""
        words = self._words
        for one in self._blamed():
            feeder = self._feeder_behind(one)
            if feeder is None:
                continue
            thing = self._fed_by(feeder)
            queue = words.thing(thing) if thing >= 0 else "its queue"
            left = self._left_in(thing)
            headline = (
                f"{words.task(one.task)} {self.waits(one)}, which cannot end before somebody takes {left} "
                f"out of {queue}: the pipe is full."
            )
            return headline, (
                f"Take everything out of {queue} before the join{words.at(one.wait.site)}."
            )
        return None

    def _feeder_behind(self, one: Stuck) -> int | None:
        """Return the feeder for which the process that `one` joins cannot end, if there is one."""
        tasks = self._recording.tasks
        if one.wait.kind != Kind.JOIN or not 0 <= one.wait.value < len(tasks):
            return None
        joined = tasks[one.wait.value]
        if not joined.is_main or joined.process == tasks[one.task].process:
            return None
        for task in tasks:
            if task.process == joined.process and is_feeder(self._recording, task.index):
                itself = self._hang.of(task.index)
                is_joined = any(
                    other.wait.kind == Kind.JOIN and other.wait.value == task.index
                    for other in self._hang.stuck
                )
                has_come_to_its_end = not lives(self._recording, joined.index)
                if is_joined or has_come_to_its_end or (itself and itself.wait.kind == Kind.SEND):
                    return task.index
        return None

    def _fed_by(self, feeder: int) -> int:
        """Return the queue that a feeder feeds, where its process has put most; -1: unknown."""
        itself = self._hang.of(feeder)
        if itself and itself.wait.thing >= 0:
            return itself.wait.thing
        process = self._recording.tasks[feeder].process
        put = Counter(
            record.thing
            for record in self._recording.records
            if record.kind == Kind.PUT and self._recording.tasks[record.task].process == process
        )
        return put.most_common(1)[0][0] if put else -1

    def _of_full_pipes(self) -> tuple[str, str] | None:
        """Several send, and nobody of them receives."""
        ones = [one for one in self._blamed() if one.wait.kind == Kind.SEND]
        if len(ones) < 2 or not {one.task for one in ones} <= self._hang.doomed:  # noqa: PLR2004
            return None
        told = "; ".join(f"{self._words.task(one.task)} {self.waits(one)}" for one in ones)
        return f"Deadlock, the pipe is full both ways: {told}.", _OF_PIPES

    def _left_in(self, thing: int) -> str:
        moved = [
            record.kind
            for record in self._recording.records
            if record.thing == thing and record.result and not record.is_request
        ]
        left = moved.count(Kind.PUT) - moved.count(Kind.GET)
        return f"the {count(left, 'item')}" if left > 0 else "its items"

    def _of_the_last(self) -> tuple[str, str]:
        """Blame where the chain of waits ends: who waits for nobody in particular."""
        one = self._end_of_the_chain()
        wait = one.wait
        begin = f"{self._words.task(one.task)} {self.waits(one)}"
        key = (wait.kind, self._recording.things[wait.thing].kind if wait.thing >= 0 else "")
        found = _UNHELPED.get(key) or _UNHELPED.get((wait.kind, ""))
        if not found or (wait.kind == Kind.ACQUIRE and one.held_by):
            return f"{begin}.", self._others(one)
        verb, remedy = found
        thing = self._words.a_thing(wait.thing)
        return f"{begin}, and {self._nobody(one, verb)}.", remedy.format(thing=thing)

    def _nobody(self, one: Stuck, verb: str) -> str:
        """Return the clause that says why nobody does what is waited for."""
        if one.task not in self._hang.doomed:
            lasted = span(one.wait.ended - one.wait.began)
            if one.waits_for:
                return f"{self._words.tasks(one.waits_for)} did not help for {lasted}"
            return f"nobody {verb} for {lasted}"
        before = self._last_deed(one)
        if before:
            return f"nobody is left who {verb}{before}"
        return f"nobody ever {verb}"

    def _last_deed(self, one: Stuck) -> str:
        """Return who did it last, and where: if it was before the wait began, a wake-up came too early."""
        if one.wait.kind == Kind.BARRIER:
            return ""
        kinds = {
            Kind.WAIT: {Kind.NOTIFY, Kind.SET},
            Kind.GET: {Kind.PUT},
            Kind.RECEIVE: {Kind.SEND},
            Kind.PUT: {Kind.GET},
            Kind.SEND: {Kind.RECEIVE},
            Kind.QUEUE_JOIN: {Kind.TASK_DONE},
            Kind.ACQUIRE: {Kind.RELEASE},
        }[one.wait.kind]
        for record in reversed(self._recording.records):
            if record.thing == one.wait.thing and record.kind in kinds and record.task != one.task:
                who, where = self._words.task(record.task), self._words.at(record.site)
                if one.wait.kind == Kind.WAIT and record.ended <= one.wait.began:
                    early = span(one.wait.began - record.ended)
                    return f": {who} did{where}, {early} before the wait began"
                return f"; {who} was the last{where}"
        return ""

    def _others(self, one: Stuck) -> str:
        names = self._words.tasks(one.waits_for)
        return f"Look at what {names} does." if names else "Look at the stacks."

    def _end_of_the_chain(self) -> Stuck:
        blamed = self._blamed()
        one = next(
            (stuck for stuck in blamed if self._recording.tasks[stuck.task].is_main), blamed[0]
        )
        been = {one.task}
        while True:
            behind = (
                other
                for task in one.waits_for
                if task not in been and (other := self._hang.of(task))
            )
            following = next(behind, None)
            if following is None:
                return one
            been.add(following.task)
            one = following


_OF_CONDITIONS = (
    "Wait for {thing} in a while loop that tests what is waited for, and notify after each change of "
    "that, with the lock held."
)
_UNHELPED: dict[tuple[Kind, str], tuple[str, str]] = {
    (Kind.WAIT, "event"): ("sets it", "Set {thing} in every case, by finally if need be."),
    (Kind.WAIT, ""): (
        "notifies it",
        _OF_CONDITIONS,
    ),
    (Kind.GET, ""): (
        "puts anything in",
        "Let the producers put a last item that means the end, one for each consumer.",
    ),
    (Kind.RECEIVE, ""): (
        "sends anything",
        "Close the ends that are not used, so that recv() raises EOFError when the sender has ended.",
    ),
    (Kind.PUT, ""): (
        "takes anything out",
        "Keep a consumer until the last item is put, or make {thing} unbounded.",
    ),
    (Kind.SEND, ""): (
        "takes anything out",
        "Receive on the other side until the last message is sent.",
    ),
    (Kind.QUEUE_JOIN, ""): (
        "calls task_done",
        "Call task_done once for each item that is got, by finally if need be.",
    ),
    (Kind.BARRIER, ""): (
        "else arrives",
        "{thing} needs all of its parties each time; let who gives up call abort().",
    ),
    (Kind.ACQUIRE, ""): (
        "gives it back",
        "Give {thing} back as often as it is taken, by a with statement.",
    ),
}
"""What nobody does, and how to mend that, by what is waited for."""


def _killed(process: TracedProcess) -> str:
    code = process.exit_code
    if code is None or code >= 0:
        return ""
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
