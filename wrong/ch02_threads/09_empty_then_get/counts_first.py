"""Asks `qsize()` in place of `empty()`.

The number is as old as the answer was: another clerk may take the last report before
this one does.

Rejected: deadlock
Line: while reports.qsize() > 0:
"""

from collections.abc import Sequence
from queue import Queue
from threading import Thread


def put_away(report: str, cabinet: list[str]) -> None:
    """Put one report where it belongs."""
    cabinet.append(report)


def file_reports(reports: Queue[str], cabinet: list[str]) -> None:
    """Take reports from the queue and file them until there are none."""
    while reports.qsize() > 0:
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
