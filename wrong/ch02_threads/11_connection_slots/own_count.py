"""Counts the connections itself, without a semaphore.

Two clients see that a slot is free before either takes it.

Rejected: assertion
Line: if self.in_use >= self.server.allowed:
"""

from collections.abc import Callable
from threading import Lock, Thread


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
        self.in_use = 0

    def ask(self, question: Callable[[], str]) -> str:
        """Return the server's answer, or "busy" if no slot is free."""
        if self.in_use >= self.server.allowed:
            return "busy"
        self.in_use += 1
        try:
            return self.server.answer(question)
        finally:
            self.in_use -= 1


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
