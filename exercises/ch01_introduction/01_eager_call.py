"""Ask for two weather reports at the same time.

The weather service is slow, so `fetch_all` gives each city a thread. A colleague
measured it: not a second faster than one city after the other. With the test service
below, which does not answer the first request until the second has come in as well, it
does not even end.

What must hold
--------------
All requests are under way at the same time, and when `fetch_all` returns, the report of
every city is there.

What you may change
-------------------
`fetch_all`

Fails: deadlock
Also: main(("Rome", "Bern", "Kyiv"))
Together: SlowService.fetch
Calls: SlowService.fetch 2
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
    # TODO: let the threads do the waiting.
    threads = [Thread(target=service.fetch(city)) for city in cities]
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
