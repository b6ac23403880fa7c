"""Read the two files that one process left, as far as they go: it may have been killed at any moment."""

from __future__ import annotations

import ast
import os
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from parallel_cookbook.errors import UsageError
from parallel_cookbook.trace.recorder import layout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK_BYTES = 1 << 16
_NOTHING = bytes(_BLOCK_BYTES)


class Row(NamedTuple):
    """A record as it was written."""

    began: int
    ended: int
    ident: int
    kind: int
    thing: int
    site: int
    value: int
    extra: int
    flags: int


@dataclass
class TapeFile:
    """What one process left."""

    stem: str
    path: Path
    end: int
    """Up to where its records are read; what they refer to was named before that."""
    about: dict[str, Any]
    """The first line of words."""
    pid: int
    began: int
    lost: int
    sites: dict[int, dict[str, Any]] = field(default_factory=dict)
    threads: dict[int, dict[str, Any]] = field(default_factory=dict)
    """By serial number; the last words about a thread."""
    things: dict[int, dict[str, Any]] = field(default_factory=dict)
    exits: list[dict[str, Any]] = field(default_factory=list)
    """Exit codes of children that this process saw."""
    methods: dict[int, str] = field(default_factory=dict)
    """The names of methods of managers' objects."""
    names: dict[str, Any] = field(default_factory=dict)
    """What else it said of itself."""
    stacks: list[dict[str, Any]] = field(default_factory=list)
    pairs: list[tuple[int, int]] = field(default_factory=list)
    """The two ends of each two-way connection."""

    def find_things(self) -> None:
        """Keep what the records of the kind THING say; quicker than to look at each record."""
        sought = bytes([layout.THING])
        for block in _blocks(self.path, self.end):
            kinds = block[layout.RECORD_BYTES - 1 :: layout.RECORD_BYTES]
            place = kinds.find(sought)
            while place >= 0:
                words = layout.RECORD.unpack_from(block, place * layout.RECORD_BYTES)
                capacity, _ident, site, thing, kind = words[:5]
                self.things[thing] = {
                    "kind": layout.THING_KINDS[kind],
                    "site": site,
                    "capacity": capacity - 1,
                }
                place = kinds.find(sought, place + 1)

    def rows(self) -> Iterator[tuple[int, int, int, int, int, int, int, int, int]]:
        """Return its records in the order in which their places were claimed, each as the words of a Row.

        For each thread that is the order in which it wrote them.
        """
        pending: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
        more, has_more, sampled = layout.MORE, layout.HAS_MORE, layout.BY_SAMPLER
        for block in _blocks(self.path, self.end):
            records = layout.RECORD.iter_unpack(block)
            for place, (moment, ident, site, thing, value, flags, kind) in enumerate(records):
                if kind == more:
                    words = layout.MORE_RECORD.unpack_from(block, place * layout.RECORD_BYTES)
                    pending.setdefault((ident, flags & sampled), []).append(
                        (words[0], words[2], words[3])
                    )
                elif flags & has_more:
                    waiting = pending.get((ident, flags & sampled))
                    if waiting:
                        began, extra, high = waiting.pop()
                        whole = (high << 32) + (value & 0xFFFFFFFF)
                        yield began, moment, ident, kind, thing, site, whole, extra, flags
                elif kind:
                    yield moment, moment, ident, kind, thing, site, value, -1, flags


def read_tapes(folder: Path) -> list[TapeFile]:
    """Return what each process left in `folder`, in the order in which they began.

    A process that had no room for even its first records is missing. Raises UsageError if the folder
    cannot be read.
    """
    try:
        # The program may still be running: records first, then the words, which are written before them.
        ends = {path: _end(path) for path in sorted(folder.glob("*.tape"))}
        tapes = [tape for path, end in ends.items() if (tape := _read(path, end)) is not None]
    except OSError as error:
        raise UsageError(
            f"cannot read the recording {str(folder)!r}: {error.strerror}; record the program anew"
        ) from None
    return sorted(tapes, key=lambda tape: tape.began)


def _read(path: Path, end: int) -> TapeFile | None:
    with path.open("rb") as file:
        header = file.read(layout.HEADER.size)
    if len(header) < layout.HEADER.size:
        return None
    magic, pid, began, lost, _used = layout.HEADER.unpack(header)
    if magic != layout.MAGIC:
        return None
    tape = TapeFile(path.stem, path, end, {}, pid, began, lost)
    names = path.with_suffix(".names")
    for number, line in enumerate(names.read_bytes().splitlines() if names.exists() else ()):
        try:
            words = ast.literal_eval(line.decode())
        except (
            ValueError,
            SyntaxError,
        ):  # it was killed, or the disk full, in the midst of the line
            continue
        if number == 0:
            tape.about = words
        else:
            _file(tape, words)
    return tape


def _file(tape: TapeFile, words: dict[str, Any]) -> None:
    """Put a line of words where it belongs."""
    if "key" in words or "kind" in words:
        tape.things[words["thing"]] = words
    elif "thread" in words:
        tape.threads[words["thread"]] = words
    elif "site" in words:
        tape.sites[words["site"]] = words
    elif "callee" in words:
        tape.methods[words["callee"]] = words["method"]
    elif "exit" in words:
        tape.exits.append(words)
    elif "pair" in words:
        tape.pairs.append((words["pair"][0], words["pair"][1]))
    elif "stacks" in words:
        tape.stacks.append(words)
    else:
        tape.names |= words


def _end(path: Path) -> int:
    """Return where the last record that is now written ends. Cost: a look at some 15 blocks."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        numbers = range(-(-(size - layout.HEADER_BYTES) // _BLOCK_BYTES))
        empty = bisect_left(numbers, 1, key=lambda number: _is_empty(_block(file, number, size)))
        last = _block(file, empty - 1, size).rstrip(b"\0") if empty else b""
    begin = layout.HEADER_BYTES + max(empty - 1, 0) * _BLOCK_BYTES
    return begin + -(-len(last) // layout.RECORD_BYTES) * layout.RECORD_BYTES


def _blocks(path: Path, end: int) -> Iterator[bytes]:
    """Return the written part of a tape in pieces, up to `end`."""
    with path.open("rb") as file:
        for number in range(-(-(end - layout.HEADER_BYTES) // _BLOCK_BYTES)):
            block = _block(file, number, end)
            yield block[: len(block) // layout.RECORD_BYTES * layout.RECORD_BYTES]


def _block(file: BinaryIO, number: int, end: int) -> bytes:
    """Return a piece of a tape; by reading, for to look at a hole through a map may need room on the disk."""
    begin = layout.HEADER_BYTES + number * _BLOCK_BYTES
    file.seek(begin)
    return file.read(min(_BLOCK_BYTES, end - begin))


def _is_empty(block: bytes) -> bool:
    return block == _NOTHING[: len(block)]
