"""Random recordings, of programs that could have run: locks exclude, messages are put before they are got."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recordings import recording

if TYPE_CHECKING:
    import random

    from parallel_cookbook.trace.recording import Recording


def random_recording(chance: random.Random) -> Recording:
    """Return what some tasks did with two locks and a queue, in order of time; some of it cut off or lost.

    Simulated step by step: at each moment a task that is free does something, and who waits gets what is
    free.
    """
    return _Run(chance).recording()


class _Run:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        count = chance.randint(1, 4)
        self._names = [
            "main",
            *(chance.choice(["t{0}", "p{0}/p{0}"]).format(i) for i in range(count)),
        ]
        self._now = 0
        self._lines = ["0 main begin"]
        self._began = {"main": 0}
        self._free = {"main"}
        self._holder: dict[str, str] = {}
        self._asks: list[tuple[str, str, int]] = []
        """task, thing, since"""
        self._stock = 0
        self._message = 0
        self._cpu = dict.fromkeys(self._names, 0)
        self._sampled = dict.fromkeys(self._names, 0)
        self._has_samples = chance.random() < 0.7
        self._joins: dict[str, str] = {}

    def recording(self) -> Recording:
        for _ in range(self._chance.randint(5, 80)):
            self._now += self._chance.choice([0, 1, 1, 3, 10])
            self._step()
        if self._chance.random() < 0.5:
            for name in sorted(self._free):
                self._end(name)
        return recording("\n".join(self._lines), duration=self._now + self._chance.choice([0, 5]))

    def _step(self) -> None:
        chance = self._chance
        for name in self._names[1:]:
            if name not in self._began and chance.random() < 0.5 and "main" in self._free:
                self._say("main", f"start {name}")
                self._say(name, "begin main")
                self._began[name] = self._sampled[name] = self._now
                self._free.add(name)
                return
        if not self._free:
            return
        name = chance.choice(sorted(self._free))
        deed = chance.choice(
            [self._lock, self._lock, self._put, self._get, self._sleep, self._sample]
        )
        deed(name)
        if chance.random() < 0.05 and name != "main" and name in self._free:
            self._end(name)

    def _say(self, name: str, words: str, since: int | None = None) -> None:
        when = f"{self._now}" if since in {None, self._now} else f"{since}-{self._now}"
        self._lines.append(f"{when} {name} {words}")

    def _lock(self, name: str) -> None:
        lock = self._chance.choice(["lock", "other"])
        line = f"@{self._chance.randint(1, 9)}"
        if self._holder.get(lock) == name:
            del self._holder[lock]
            self._say(name, f"release {lock}")
            self._serve(lock)
        elif lock in self._holder:
            self._ask(name, lock, f"acquire? {lock} {line}")
        else:
            self._holder[lock] = name
            self._say(name, f"acquire {lock} {line}")

    def _put(self, name: str) -> None:
        self._stock += 1
        self._message += 1
        self._say(name, f"put queue value={self._stock} extra={self._message}")
        self._serve("queue")

    def _get(self, name: str) -> None:
        if self._stock:
            self._stock -= 1
            self._say(name, f"get queue value={self._stock} extra={self._message - self._stock}")
        else:
            self._ask(name, "queue", "get? queue")

    def _sleep(self, name: str) -> None:
        since, self._now = self._now, self._now + self._chance.randint(1, 5)
        self._say(name, "sleep", since)

    def _sample(self, name: str) -> None:
        if self._has_samples:
            passed = (self._now - self._sampled[name]) * 1_000_000
            self._cpu[name] += round(self._chance.random() * passed)
            self._sampled[name] = self._now
            delay = self._chance.choice([-1, 0, passed])
            self._say(name, f"sample value={self._cpu[name]} extra={delay}")

    def _ask(self, name: str, thing: str, words: str) -> None:
        if self._chance.random() < 0.9:
            self._say(name, words)
        self._asks.append((name, thing, self._now))
        self._free.discard(name)

    def _serve(self, thing: str) -> None:
        """Give what has become free to who asked first."""
        for asked in self._asks:
            name, wanted, since = asked
            if wanted != thing:
                continue
            self._asks.remove(asked)
            self._free.add(name)
            if thing == "queue":
                self._stock -= 1
                self._say(name, f"get queue value={self._stock} extra={self._message}", since)
            else:
                self._holder[thing] = name
                self._say(name, f"acquire {thing} @{self._chance.randint(1, 9)}", since)
            return

    def _end(self, name: str) -> None:
        self._free.discard(name)
        self._say(name, "end")
