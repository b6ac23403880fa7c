"""Collect the readings of two sensors.

Why it is right
---------------
The inner list lives in the manager as well. `rooms[room]` now brings a proxy, not a
copy, and `append` on it is one request, which the manager carries out on the real list.
One request is one step, so no lock is needed.

With a plain list inside, only an assignment to the dictionary itself reaches the
manager, and "read, change, write back" needs a lock around it.
"""

from multiprocessing import get_context
from multiprocessing.managers import DictProxy, SyncManager
from typing import Any, TypeAlias

Rooms: TypeAlias = "DictProxy[str, Any]"
"""A shared dictionary, which lives in the manager's process: for each room, its readings."""


def new_rooms(manager: SyncManager) -> Rooms:
    """Return the shared dictionary with the rooms, all without a reading."""
    return manager.dict({"hall": manager.list()})


def file_reading(rooms: Rooms, room: str, reading: int) -> None:
    """Append a reading to the room's list."""
    rooms[room].append(reading)


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
