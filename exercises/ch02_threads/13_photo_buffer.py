"""Upload each photo once, and none that is not there.

A camera puts photos into a small buffer, and uploaders take them out. Who finds it
empty waits; the camera wakes one uploader for each photo. An uploader was woken for a
photo, reached into the buffer, and found nothing.

What must hold
--------------
Each photo is uploaded once. Uploaders wait while there is none, the camera while the
buffer is full, and neither keeps a processor busy.

What you may change
-------------------
`Buffer.get`

Fails: exception
Busy-wait: rejected
Also: main(("sky",)); main(("sky", "snow", "sand"))
"""

from collections import deque
from collections.abc import Callable, Sequence
from threading import Condition, Lock, Thread


class Buffer:
    """At most `capacity` photos, the oldest first. `lock` guards `photos`."""

    def __init__(self, capacity: int) -> None:
        self.lock = Lock()
        self.not_empty = Condition(self.lock)
        self.not_full = Condition(self.lock)
        self.capacity = capacity
        self.photos: deque[str] = deque()

    def put(self, photo: str) -> None:
        """Append a photo; wait while the buffer is full."""
        with self.lock:
            self.not_full.wait_for(lambda: len(self.photos) < self.capacity)
            self.photos.append(photo)
            self.not_empty.notify()

    def get(self) -> str:
        """Take the oldest photo; wait while there is none."""
        with self.lock:
            # TODO: sometimes there is none.
            if not self.photos:
                self.not_empty.wait()
            photo = self.photos.popleft()
            self.not_full.notify()
            return photo


def run_together(*calls: Callable[[], object]) -> None:
    """Make each call in a thread of its own; return when all have ended."""
    threads = [Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(photos: Sequence[str] = ("sea", "sun")) -> None:
    buffer = Buffer(capacity=1)
    uploaded: list[str] = []

    def camera() -> None:
        for photo in photos:
            buffer.put(photo)

    uploaders = [lambda: uploaded.append(buffer.get()) for _ in photos]
    run_together(camera, *uploaders)
    assert sorted(uploaded) == sorted(photos), uploaded


if __name__ == "__main__":
    main()
