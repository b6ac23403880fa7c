"""A process appends to a list inside of a manager's dict: to a copy of it."""

from multiprocessing import Manager, Process


def file_reading(rooms, reading):
    hall = rooms["hall"]
    hall.append(reading)


if __name__ == "__main__":
    with Manager() as manager:
        rooms = manager.dict(hall=[])
        process = Process(target=file_reading, args=(rooms, 19))
        process.start()
        process.join()
        assert rooms["hall"] == [19], rooms["hall"]
