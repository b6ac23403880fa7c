"""Bring together what several processes say of the same thing, and match what was sent with what came."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from parallel_cookbook.trace.recording import Kind, Record, Thing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parallel_cookbook.trace.tapes import TapeFile

_MESSAGES = frozenset({Kind.PUT, Kind.GET, Kind.SEND, Kind.RECEIVE})


class Shared:
    """What has a key: the same in all processes."""

    def __init__(self, tapes: Sequence[TapeFile]) -> None:
        self._peers: dict[str, str] = {}
        """The way out of one end of a connection, and the way into the other: they are one."""
        self._best: dict[str, tuple[dict[str, Any], TapeFile]] = {}
        for tape in tapes:
            for first, second in tape.pairs:
                self._peers[f"out:{first}"] = f"in:{second}"
                self._peers[f"out:{second}"] = f"in:{first}"
        for tape in tapes:
            for words in tape.things.values():
                key = self.key(words.get("key"))
                if key and (key not in self._best or not self._best[key][0]["site"]):
                    self._best[key] = words, tape

    def key(self, key: str | None) -> str:
        """Return the one key for what has several."""
        return self._peers.get(key, key) if key else ""

    def definition(
        self, key: str, words: dict[str, Any], origin: TapeFile
    ) -> tuple[dict[str, Any], TapeFile]:
        """Return what is known of it by who knows most, and whose knowledge that is."""
        return self._best.get(key, (words, origin))


def number_messages(
    records: list[Record], tasks: Sequence[dict[str, Any]], things: Sequence[Thing]
) -> None:
    """Give messages between processes their numbers: the n-th that went in is the n-th that comes out.

    On a connection, and on a queue without a feeder, they go in when they are sent. A queue's feeder sends
    what its process has put, in that order; how those of several processes mix is the order of the sends.
    `records` are in the order of their ends; numbers that are known already stay.
    """
    came_out: dict[int, int] = defaultdict(int)
    went_in: dict[int, int] = defaultdict(int)
    put: dict[tuple[int, int], list[int]] = defaultdict(list)
    fed: dict[tuple[int, int], list[int]] = defaultdict(list)
    """By queue and process: where the records of puts and of the feeder's sends stand."""
    for place, record in enumerate(records):
        kind, thing = record.kind, record.thing
        if kind not in _MESSAGES or thing < 0 or record.is_request or record.extra >= 0:
            continue
        of_process = thing, tasks[record.task]["process"]
        if kind == Kind.PUT and record.result:
            put[of_process].append(place)
        elif kind == Kind.SEND:
            if things[thing].kind == "queue":
                fed[of_process].append(place)
            if record.result:
                records[place] = record._replace(extra=went_in[thing])
                went_in[thing] += 1
        elif kind in {Kind.RECEIVE, Kind.GET} and record.result:
            records[place] = record._replace(extra=came_out[thing])
            came_out[thing] += 1
    for of_process, puts in put.items():
        for place, send in zip(puts, fed[of_process], strict=False):
            records[place] = records[place]._replace(extra=records[send].extra)
