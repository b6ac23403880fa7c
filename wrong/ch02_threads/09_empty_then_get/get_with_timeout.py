"""Waits for a second at most, and does not expect the time to run out.

`get` raises `Empty` then, which ends the thread with an error. Catch it where it is
raised, and there is no need to wait.

Rejected: exception
Line: report = reports.get(timeout=1)
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
        report = reports.get(timeout=1)
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
