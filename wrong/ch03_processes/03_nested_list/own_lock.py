"""Reads, adds and writes back under a lock that each process has for itself.

Each process imports the file and makes a lock of its own. They never meet.

Rejected: assertion
Line: rooms[room] = rooms[room] + [reading]
"""

from multiprocessing import get_context
from multiprocessing.managers import DictProxy, SyncManager
from threading import Lock
from typing import Any, TypeAlias

Rooms: TypeAlias = "DictProxy[str, Any]"
"""A shared dictionary, which lives in the manager's process: for each room, its readings."""


lock = Lock()


def new_rooms(manager: SyncManager) -> Rooms:
    """Return the shared dictionary with the rooms, all without a reading."""
    return manager.dict({"hall": []})


def file_reading(rooms: Rooms, room: str, reading: int) -> None:
    """Append a reading to the room's list."""
    with lock:
        rooms[room] = rooms[room] + [reading]


def main(readings: tuple[int, ...] = (19, 21)) -> None:
    context = get_context("spawn")
    with context.Manager() as manager:
        rooms = new_rooms(manager)
        sensors = [
            context.Process(target=file_reading, args=(rooms, "hall", reading))
            for reading in readings
        ]
        for sensor in sensors:
            sensor.start()
        for sensor in sensors:
            sensor.join()
        assert sorted(rooms["hall"]) == sorted(readings), list(rooms["hall"])


if __name__ == "__main__":
    main()
