"""How a tape is laid out: what the recorder writes into a traced process, and the reader reads.

A process of the traced program has two files in the recording's folder. PID-MOMENT.tape is a header
followed by records of one size, written through a memory map: what is written survives the process, even
if it is killed. PID-MOMENT.names is a line, a dict as Python writes it, for each thing
that needs words: source lines, threads, keys of what is shared between processes.

Standard library alone, and little of it: this is imported into the traced program.
"""

from __future__ import annotations

import struct

MAGIC = b"CBTAPE1\0"
HEADER_BYTES = 4096
"""A page of its own, so that the count of lost records has room when nothing else has."""
HEADER = struct.Struct("<8sqqqq")
"""magic, pid, moment of the beginning, records lost, bytes used (0 until a clean end)."""
LOST_AT = 24
USED_AT = 32

RECORD = struct.Struct("<qqiiixxBB")
"""moment, ident of the thread, site, thing, value, flags, kind. The kind comes last and is never 0: a record
that its writer could not finish is empty to the reader."""
MORE_RECORD = struct.Struct("<qqqixxBB")
"""Goes before a record that takes longer or says more: moment of its beginning, ident of the thread,
extra, upper half of value, flags, MORE."""
RECORD_BYTES = RECORD.size

IN_VAIN = 1
REQUEST = 2
HAS_MORE = 4
BY_SAMPLER = 8
"""Written by the sampler on behalf of the thread: its MORE is not mixed up with the thread's own."""

STACKS_FILE = "stacks"
"""When a file of this name in the folder is written, each process tells where its threads are."""

# The kinds of recording.Kind, as plain numbers.
BEGIN, END, START, JOIN, ACQUIRE, RELEASE, WAIT, NOTIFY, SET, CLEAR, BARRIER = range(1, 12)
PUT, GET, TASK_DONE, QUEUE_JOIN, SEND, RECEIVE, SLEEP, SUBMIT, WORK, RESULT = range(12, 22)
SAMPLE, COLLECT, FORK, SIGNAL, LOST, CALL = range(22, 28)
# What only the reader sees.
THING = 200
"""A thing is made: value is its kind's number in THING_KINDS; in the moment's place, its capacity + 1."""
PROCESS_START = 201
"""A process is started; value: its pid."""
PROCESS_JOIN = 202
"""Waits for a process; value: its pid."""
FED = 203
"""A queue's feeder has sent a message into the queue's pipe: the n-th that its process put; value: bytes."""
NOT_FED = 204
"""A queue's feeder could not pickle a message."""
MORE = 255

THING_KINDS = (
    "lock",
    "rlock",
    "condition",
    "semaphore",
    "event",
    "barrier",
    "queue",
    "connection",
    "pool",
    "executor",
    "thread",
    "process",
    "proxy",
)
