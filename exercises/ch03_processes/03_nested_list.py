"""Collect the readings of two sensors.

Two processes read sensors and file each reading in a shared dictionary, under the name
of the room. The manager runs, the processes run, nothing is reported. In the evening
the lists are empty.

What must hold
--------------
Each reading that was filed is in the room's list.

What you may change
-------------------
`file_reading`, and `new_rooms`

Fails: assertion
Also: main((5, 6, 7)); main((5,))
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
    # TODO: it is appended, but to what?
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
