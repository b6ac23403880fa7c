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

    def answer(self, question: str) -> str:
        """Open a connection, answer, close it; ValueError if there is no question."""
        with self.lock:
            self.open += 1
            assert self.open <= self.allowed, f"banned: {self.open} connections are open"
        with self.lock:
            self.open -= 1
        if not question:
            raise ValueError("there is no question")
        return "42"


class Client:
    """Asks the server. `slots` counts the connections that may still be opened."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.in_use = 0

    def ask(self, question: str) -> str:
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
    client = Client(Server(allowed=1))

    def impatient() -> None:
        if client.ask("the answer?") == "busy":
            client.ask("the answer?")

    def careless() -> None:
        try:
            client.ask("")
        except ValueError:
            pass

    run_together(impatient, careless)
    assert client.ask("the answer?") == "42", "a slot is lost"


if __name__ == "__main__":
    main()
