"""Reads the list, adds to it, and writes it back.

That reaches the manager. But both sensors may read the same list, and the one who
writes last overwrites the other's reading.

Rejected: assertion
Line: rooms[room] = rooms[room] + [reading]
"""

from multiprocessing import get_context
from multiprocessing.managers import DictProxy, SyncManager
from typing import Any, TypeAlias

Rooms: TypeAlias = "DictProxy[str, Any]"
"""A shared dictionary, which lives in the manager's process: for each room, its readings."""


def new_rooms(manager: SyncManager) -> Rooms:
    """Return the shared dictionary with the rooms, all without a reading."""
    return manager.dict({"hall": []})


def file_reading(rooms: Rooms, room: str, reading: int) -> None:
    """Append a reading to the room's list."""
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
