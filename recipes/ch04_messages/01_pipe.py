"""Talk with a helper process over a Pipe, and notice when it hangs up.

Problem
-------
A helper process owns something that is costly to load, here a table of HTML entities.
The main program asks it one question after another and needs each answer before it goes
on. When one side has finished, or has died, the other must find out instead of waiting
for ever.

Solution
--------
`Pipe()` gives two connected ends, and each can `send` and `recv`. Give one end to the
helper. Then close, in each process, the end that belongs to the other one. Once nobody
holds a far end, `recv` raises `EOFError`: the other side has hung up.

How it works
------------
`send` pickles the object and writes it. `recv` waits for one whole message and rebuilds
a copy. For each question the asker sends first and the helper receives first, so at
most one message is under way and neither waits for the other to read.

An end stays open as long as *any* process holds it open. The helper gets its end at
`start()`, so from then on there are two copies of `helper_end`: the parent closes its
own. Under fork the helper also inherits `asker_end`. It is handed both ends, so that it
can close that one under every start method, and gets an `EOFError` when the parent ends
early.

It ends because the asker says None when it has no more questions. The helper sends its
last message and closes. The asker reads to the end of the file and joins.

`poll()` says whether `recv` would return or raise at once. End-of-file counts: there
`poll()` is True. `poll(seconds)` waits that long for an answer: the way to bound a wait
for a helper that may be stuck.

Pitfalls
--------
`pitfall_end_left_open` forgets to close the parent's copy of the helper's end. The
helper answers and exits, and the parent reads on. The kernel still sees a process that
could write into the pipe: the parent itself. `recv` waits for ever.

With two helpers under fork, the second inherits every end that the parent holds when it
starts. Close each helper's end before you start the next helper, or the first one's
death goes unnoticed while the second lives.

A `send` to a side that has hung up raises `BrokenPipeError`. Two threads or processes
must not both send on one end at the same time, or both receive, without a lock: their
bytes would mix.

Cost
----
A message costs a pickle, two copies through the kernel and a few system calls; each
question and each answer also costs a switch between processes. There and back took some
100 microseconds on a busy machine with two cores; a call of a function in the same
process is hundreds of times cheaper. A helper pays when an answer takes far longer than
that trip.

See also
--------
`messages/full_pipe` for both sides that send at once, `messages/select_connections` for
several helpers, `messages/request_reply` for several askers.
"""

from collections.abc import Iterator
from html.entities import name2codepoint
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection


def messages(connection: Connection) -> Iterator[str | None]:
    """Yield what arrives, until nobody can send any more."""
    while True:
        try:
            yield connection.recv()
        except EOFError:
            return


def look_up_entities(helper_end: Connection, asker_end: Connection) -> None:
    """Answer each entity's name with its character; at None, say how many and hang up."""
    asker_end.close()  # else this process itself keeps the asker's end open
    answered = 0
    with helper_end:
        for name in messages(helper_end):
            if name is None:
                helper_end.send(f"answered {answered}")
                return
            helper_end.send(chr(name2codepoint[name]))
            answered += 1


def main(names: tuple[str, ...] = ("amp", "lt")) -> None:
    asker_end, helper_end = Pipe()
    helper = Process(target=look_up_entities, args=(helper_end, asker_end))
    helper.start()
    helper_end.close()  # else this process itself keeps the helper's end open
    with asker_end:
        answers = []
        for name in names:
            asker_end.send(name)
            answers.append(asker_end.recv())
        assert not asker_end.poll(), "one answer to each question, and no more"
        asker_end.send(None)
        farewell = list(messages(asker_end))  # to the end of the file: the helper has hung up
        assert asker_end.poll(), "end-of-file counts as something to receive"
    helper.join()

    assert answers == [chr(name2codepoint[name]) for name in names], answers
    assert farewell == [f"answered {len(names)}"], farewell
    assert helper.exitcode == 0, helper.exitcode
    print(f"asked for {', '.join(names)}: got {', '.join(map(repr, answers))}")
    print(f"the helper's last words: {farewell[0]!r}; then end-of-file")


def send_greeting(helper_end: Connection) -> None:
    """Send one message and hang up."""
    with helper_end:
        helper_end.send("hello")


def pitfall_end_left_open() -> None:
    """The parent still holds the helper's end, so its own `recv` never sees end-of-file.

    Fails: deadlock
    """
    asker_end, helper_end = Pipe()
    helper = Process(target=send_greeting, args=(helper_end,))
    helper.start()
    with asker_end:
        assert list(messages(asker_end)) == ["hello"]
    helper.join()


if __name__ == "__main__":
    main()
