"""Wraps the call in a lambda that looks up the city too late.

All the lambdas share the one variable `city`, and by the time they are called it names
the last city. Every thread asks for that one.

Rejected: assertion
"""

from collections.abc import Sequence
from threading import Barrier, Thread


class SlowService:
    """A stand-in for the weather service: answers nobody until all have asked."""

    def __init__(self, requests: int) -> None:
        self.all_have_asked = Barrier(requests)
        self.reports: dict[str, str] = {}

    def fetch(self, city: str) -> None:
        """Wait for the answer, and file it under the city's name."""
        self.all_have_asked.wait()
        self.reports[city] = f"The weather in {city} is fine."


def fetch_all(service: SlowService, cities: Sequence[str]) -> None:
    """Fetch the report of each city in a thread of its own; return when all are there."""
    threads = [Thread(target=lambda: service.fetch(city)) for city in cities]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(cities: Sequence[str] = ("Oslo", "Lima")) -> None:
    service = SlowService(len(cities))
    fetch_all(service, cities)
    assert sorted(service.reports) == sorted(cities), service.reports


if __name__ == "__main__":
    main()
