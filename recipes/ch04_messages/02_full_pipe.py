"""Exchange large messages over a Pipe without blocking on a full pipe.

Problem
-------
Two processes swap their halves of a result: each sends its own and receives the
other's. With small test data it works. With real data both processes stop and use no
processor time.

Solution
--------
Never let both sides send at once with nobody receiving. Either agree on turns (one side
sends first, the other receives first), or let each side send from a thread while its
main flow receives.

How it works
------------
A pipe is a buffer in the kernel of a fixed size. `send` returns when its last byte is
in that buffer: as long as there is room it seems to be asynchronous, and when there is
none it blocks until the other side receives.

By turns: while the first speaker sends, the other one is receiving and empties the
pipe, so the `send` ends. Then they change places. At once: each side's `recv` goes on
while its own `send` waits in the thread, so both pipes are emptied and both sends end.
A `Pipe()` is a socket pair with a buffer for each direction; one thread may send on an
end while another receives on it.

Pitfalls
--------
`pitfall_both_send_first` sends on both sides, then receives on both. Each `send` fills
its buffer and waits for the other side to receive; each side gets to `recv` only after
its `send`. The circle is closed, and they wait for ever.

It depends on the size of the message alone. Measured on Linux 6.18 with CPython 3.11
and 3.13, the room for messages that nobody receives: `Pipe(duplex=False)`, a pipe of
65,536 bytes: 13,104 messages of one byte (each has a header of four), or four of 16,000
bytes. `Pipe()`, a socket pair: only 278 messages of one byte, because the kernel
charges each message its own bookkeeping, or 13 of 16,000 bytes. Other systems have
other limits, and a user with many pipes gets smaller ones. `python 02_full_pipe.py
capacity` measures yours. Do not rely on a figure: rely on somebody receiving.

Cost
----
Turns cost nothing. A thread costs some tens to hundreds of microseconds to start, and
gains time only if both directions are large. Both sides pickle and copy the whole
message: for a large array that both need, `processes/shared_block` copies nothing.

See also
--------
`messages/pipe` for the end of a conversation, `messages/queue_drain` for a Queue, which
has such a thread built in, and the deadlock that this brings.
"""

import os
import sys
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from threading import Thread

LARGE = 1_000_000  # bytes: more than any default pipe holds


def swap_by_turns(end: Connection, own: bytes, *, speaks_first: bool) -> bytes:
    """Send `own` and return the other side's message; just one side speaks first."""
    if speaks_first:
        end.send_bytes(own)
        return end.recv_bytes()
    theirs = end.recv_bytes()
    end.send_bytes(own)
    return theirs


def swap_at_once(end: Connection, own: bytes) -> bytes:
    """Send `own` from a thread, and return the other side's message."""
    sender = Thread(target=end.send_bytes, args=(own,))
    sender.start()
    theirs = end.recv_bytes()
    sender.join()
    return theirs


def partner(end: Connection, size: int) -> None:
    """Take the other side of both exchanges, with messages of `size` bytes."""
    with end:
        assert swap_by_turns(end, b"b" * size, speaks_first=False) == b"a" * size
        assert swap_at_once(end, b"d" * size) == b"c" * size


def capacity(size: int, *, duplex: bool) -> int:
    """Return how many messages of `size` bytes fit into a pipe that nobody reads."""
    receiver, sender = Pipe(duplex)
    with receiver, sender:
        os.set_blocking(sender.fileno(), False)
        sent = 0
        try:
            while True:
                sender.send_bytes(bytes(size))
                sent += 1
        except BlockingIOError:
            return sent


def main(size: int = LARGE) -> None:
    near, far = Pipe()
    # A daemon: should this main flow fail, the partner does not wait for ever.
    process = Process(target=partner, args=(far, size), daemon=True)
    process.start()
    far.close()
    with near:
        by_turns = swap_by_turns(near, b"a" * size, speaks_first=True)
        at_once = swap_at_once(near, b"c" * size)
    process.join()

    assert by_turns == b"b" * size
    assert at_once == b"d" * size
    assert process.exitcode == 0, process.exitcode
    print(f"swapped {size:,} bytes by turns, and {size:,} at once: both sides got them all")


def send_then_receive(end: Connection) -> None:
    """Send something large, and receive only then."""
    end.send_bytes(b"b" * LARGE)
    end.recv_bytes()


def pitfall_both_send_first() -> None:
    """Both sides fill the pipe, and each waits for the other to empty it.

    Fails: deadlock
    """
    near, far = Pipe()
    process = Process(target=send_then_receive, args=(far,), daemon=True)
    process.start()
    send_then_receive(near)
    process.join()


if __name__ == "__main__":
    if sys.argv[1:] == ["capacity"]:
        for bytes_each in (1, 1_000, 16_000):
            counts = capacity(bytes_each, duplex=False), capacity(bytes_each, duplex=True)
            print(f"{bytes_each} bytes each: {counts[0]} fit one-way, {counts[1]} duplex")
    else:
        main()
