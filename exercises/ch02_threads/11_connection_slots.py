"""Keep to the number of connections that the server allows.

The server allows one connection at a time and bans clients that open more. A semaphore
counts the free slots; who finds none is told "busy", to try again later. It worked for
weeks, until the first "busy". Since then we are banned.

What must hold
--------------
Never are more connections open than the server allows, no slot gets lost, and a client
who finds none free is told so, not made to wait.

What you may change
-------------------
`Client`

Fails: assertion
"""

from collections.abc import Callable
from threading import Lock, Semaphore, Thread


class Server:
    """Bans whoever opens too many connections. `lock` guards `open`."""

    def __init__(self, allowed: int) -> None:
        self.lock = Lock()
        self.allowed = allowed
        self.open = 0

    def answer(self, question: Callable[[], str]) -> str:
        """Open a connection, put the question, close it."""
        with self.lock:
            self.open += 1
            assert self.open <= self.allowed, f"banned: {self.open} connections are open"
        try:
            return question()
        finally:
            with self.lock:
                self.open -= 1


class Client:
    """Asks the server. `slots` counts the connections that may still be opened."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.slots = Semaphore(server.allowed)

    def ask(self, question: Callable[[], str]) -> str:
        """Return the server's answer, or "busy" if no slot is free."""
        try:
            if not self.slots.acquire(blocking=False):
                return "busy"
            return self.server.answer(question)
        finally:
            # TODO: after the first "busy" there are too many slots.
            self.slots.release()


def run_together(*calls: Callable[[], object]) -> None:
    """Make each call in a thread of its own; return when all have ended."""
    threads = [Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    def hard() -> str:
        assert server.open, "no connection is open"
        return "42"

    def impatient() -> None:
        if client.ask(hard) == "busy":
            client.ask(hard)

    def careless() -> None:
        try:
            client.ask(lambda: str(1 // 0))
        except ZeroDivisionError:
            pass

    server = Server(allowed=1)
    client = Client(server)
    run_together(impatient, careless)
    assert client.ask(lambda: client.ask(hard)) == "busy", "one connection within another"
    assert client.ask(hard) == "42", "a slot is lost"


if __name__ == "__main__":
    main()
