"""Answer several clients from one server, so that each reply reaches its asker.

Problem
-------
One server process owns something that cannot be shared: a model, a cache, a connection
to a database. Several client processes ask it questions. Each must get the answer to
its own question, not the one that somebody else is waiting for.

Solution
--------
One `Queue` for the requests of all clients, and for each client a one-way pipe of its
own for the replies. A request names the client and carries a number; the reply goes
into that client's pipe and repeats the number.

How it works
------------
The request queue's own lock keeps the requests whole and gives each to the server once.
The client's index in the request chooses the pipe. Only the server writes to it, only
that client reads from it: no lock is needed, and nobody can take another's reply.

The number is the *correlation id*: it says to which request a reply belongs. With one
open request per client it seems superfluous. It is needed as soon as a client gives up
waiting and asks again: then the late reply to the old question comes first. `ask`
passes over replies with old numbers.

The main flow closes its copies of the pipes' ends as soon as their owners have them.
Thus a client whose server has died gets an `EOFError` and does not wait for ever.

It ends because each client asks a fixed number of times and is answered each time. The
main flow joins the clients, then puts an end marker: no request can come after it. A
pipe cannot fill up either, as a client asks again only when it has read its reply.

Pitfalls
--------
`pitfall_shared_replies` has one reply queue for both clients. Both ask, the server
answers the first and then the second, but the second client comes to `get` first and
takes the first one's answer. No error: both go on with a wrong value. Putting back what
is not one's own is no cure: the order is lost, and the clients may pass a reply to and
fro without end.

A pipe cannot be made anew for each request: it goes to a child only when that is
started. And a client that has gone must not take the server with it: the server's
`send` may raise `BrokenPipeError`.

Cost
----
A question and its answer cost two messages and at least two switches between processes,
on a busy machine some 100 microseconds, and the server takes one request after the
other. If the server is busy all the time, more clients only wait longer: give each
client the data, or start more servers on the same request queue.

See also
--------
`messages/pipe` for one client, `messages/select_connections` for a server without a
shared queue, `processes/manager` for a ready-made server of Python objects.
"""

from contextlib import suppress
from multiprocessing import Array, Pipe, Process, Queue, queues, sharedctypes
from multiprocessing.connection import Connection

Request = tuple[int, int, int]  # the client's index, the request's number, the question


def serve(requests: "queues.Queue[Request | None]", replies: list[Connection]) -> None:
    """Square numbers until the end marker; each reply goes to its asker's pipe."""
    for client, number, question in iter(requests.get, None):
        with suppress(BrokenPipeError):  # the asker has gone: no harm to the others
            replies[client].send((number, question**2))


def ask(requests: "queues.Queue[Request | None]", replies: Connection, request: Request) -> int:
    """Send the request, and return the answer that bears its number."""
    requests.put(request)
    while True:
        number, answer = replies.recv()
        if number == request[1]:
            return int(answer)


def client(
    index: int,
    requests: "queues.Queue[Request | None]",
    replies: Connection,
    answers: "sharedctypes.SynchronizedArray[int]",
    questions: int,
) -> None:
    """Ask for the squares of this client's own numbers, and note the answers."""
    for number in range(questions):
        question = index * questions + number
        answers[question] = ask(requests, replies, (index, number, question))


def main(clients: int = 2, questions: int = 1) -> None:
    requests: queues.Queue[Request | None] = Queue()
    answers = Array("i", [-1] * (clients * questions))
    pipes = [Pipe(duplex=False) for _ in range(clients)]
    # Daemons: should this main flow fail, nobody waits for it.
    server = Process(target=serve, args=(requests, [out for _, out in pipes]), daemon=True)
    server.start()
    for _, out in pipes:
        out.close()  # before the clients start: only the server may hold it
    askers = []
    for index, (replies, _) in enumerate(pipes):
        arguments = (index, requests, replies, answers, questions)
        askers.append(Process(target=client, args=arguments, daemon=True))
        askers[-1].start()
        replies.close()
    for asker in askers:
        asker.join()
    requests.put(None)
    server.join()
    requests.close()
    requests.join_thread()

    assert answers[:] == [question**2 for question in range(clients * questions)], answers[:]
    assert all(process.exitcode == 0 for process in [server, *askers])
    print(f"{clients} clients, {questions} question(s) each: every reply reached its asker")


def ask_shared(
    number: int,
    requests: "queues.Queue[int]",
    replies: "queues.Queue[int]",
    answers: "sharedctypes.SynchronizedArray[int]",
) -> None:
    """Ask for a square, and take whatever reply comes next: the bug."""
    requests.put(number)
    answers[number] = replies.get()


def pitfall_shared_replies() -> None:
    """Two clients read replies from one queue, and each may take the other's.

    Fails: assertion
    """
    requests: queues.Queue[int] = Queue()
    replies: queues.Queue[int] = Queue()
    answers = Array("i", 2)
    arguments = (requests, replies, answers)
    askers = [Process(target=ask_shared, args=(n, *arguments)) for n in range(2)]
    for asker in askers:
        asker.start()
    for _ in askers:
        replies.put(requests.get() ** 2)
    for asker in askers:
        asker.join()
    assert answers[:] == [0, 1], f"the squares of 0 and 1 are {answers[:]}"


if __name__ == "__main__":
    main()
