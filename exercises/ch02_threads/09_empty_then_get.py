"""Work off a queue until it is empty.

In the evening the reports of the day lie in a queue, and two threads work them off:
while the queue is not empty, take one and file it. Some nights one of the two is still
there in the morning.

What must hold
--------------
Each report is filed once, several at the same time, and `file_all` returns when all are
filed.

What you may change
-------------------
`file_all` and `file_reports`

Fails: deadlock
Also: main(("post", "press", "plans", "pay")); main(("post",))
Together: put_away
Calls: put_away 3
"""

from collections.abc import Sequence
from queue import Queue
from threading import Thread


def put_away(report: str, cabinet: list[str]) -> None:
    """Put one report where it belongs."""
    cabinet.append(report)


def file_reports(reports: Queue[str], cabinet: list[str]) -> None:
    """Take reports from the queue and file them until there are none."""
    # TODO: one of us waits for a report that will never come.
    while not reports.empty():
        report = reports.get()
        put_away(report, cabinet)


def file_all(reports: Queue[str], clerks: int) -> list[str]:
    """Let some clerks file all reports; return the cabinet."""
    cabinet: list[str] = []
    threads = [Thread(target=file_reports, args=(reports, cabinet)) for _ in range(clerks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return cabinet


def main(names: Sequence[str] = ("sales", "stock", "staff"), clerks: int = 2) -> None:
    reports: Queue[str] = Queue()
    for name in names:
        reports.put(name)
    cabinet = file_all(reports, clerks)
    assert sorted(cabinet) == sorted(names), cabinet


if __name__ == "__main__":
    main()
