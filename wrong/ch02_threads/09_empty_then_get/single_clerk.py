"""Lets one clerk do it all.

One thread that looks and takes is never disturbed. The reports are filed one after the
other, though the task was to file several at a time.

Rejected: not-concurrent
"""

from collections.abc import Sequence
from queue import Queue
from threading import Thread


def put_away(report: str, cabinet: list[str]) -> None:
    """Put one report where it belongs."""
    cabinet.append(report)


def file_reports(reports: Queue[str], cabinet: list[str]) -> None:
    """Take reports from the queue and file them until there are none."""
    while not reports.empty():
        report = reports.get()
        put_away(report, cabinet)


def file_all(reports: Queue[str], clerks: int) -> list[str]:
    """Let some clerks file all reports; return the cabinet."""
    cabinet: list[str] = []
    threads = [Thread(target=file_reports, args=(reports, cabinet)) for _ in range(1)]
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
