"""Real programs that hang, each seen while it runs, ended, and told with the line to blame.

No test sleeps: each program reaches its deadlock by itself, and the command ends when it has seen it.
"""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from commands import cookbook

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(120)

THREADS = """
    import threading

    first, second = threading.Lock(), threading.Lock()
    both_hold_one = threading.Barrier(2)

    def one():
        with first:
            both_hold_one.wait()
            with second:  # blame
                print("never")

    def two():
        with second:
            both_hold_one.wait()
            with first:  # blame
                print("never")

    threads = [threading.Thread(target=one), threading.Thread(target=two)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""
PROCESSES = """
    import multiprocessing

    def work(mine, other, both_hold_one):
        with mine:
            both_hold_one.wait()
            with other:  # blame
                print("never")

    if __name__ == "__main__":
        first, second = multiprocessing.Lock(), multiprocessing.Lock()
        barrier = multiprocessing.Barrier(2)
        pairs = [(first, second), (second, first)]
        workers = [multiprocessing.Process(target=work, args=(*pair, barrier)) for pair in pairs]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
"""
JOIN_BEFORE_DRAIN = """
    import multiprocessing

    def work(queue):
        queue.put(bytes(1_000_000))

    if __name__ == "__main__":
        queue = multiprocessing.Queue()
        worker = multiprocessing.Process(target=work, args=(queue,))
        worker.start()
        worker.join()  # blame
        print(len(queue.get()))
"""
FULL_PIPE = """
    import multiprocessing

    def work(connection):
        connection.send_bytes(bytes(1_000_000))  # blame
        connection.recv_bytes()

    if __name__ == "__main__":
        ours, its = multiprocessing.Pipe()
        worker = multiprocessing.Process(target=work, args=(its,))
        worker.start()
        ours.send_bytes(bytes(1_000_000))  # blame
        ours.recv_bytes()
"""
FORGOTTEN_NOTIFY = """
    import threading

    ready = threading.Condition()

    def wait():
        with ready:
            ready.wait()  # blame

    with ready:
        ready.notify_all()
    thread = threading.Thread(target=wait)
    thread.start()
    thread.join()
"""
KILLED_WORKER = """
    import multiprocessing
    import os
    import signal

    def work(number):
        os.kill(os.getpid(), signal.SIGKILL)

    if __name__ == "__main__":
        with multiprocessing.Pool(2) as pool:
            print(pool.map(work, [1]))  # blame
"""
NO_PRODUCER = """
    import queue
    import threading

    tasks = queue.Queue()

    def consume():
        while True:
            tasks.get()  # blame

    thread = threading.Thread(target=consume)
    thread.start()
    tasks.put(1)
    tasks.put(2)
    thread.join()
"""
ITSELF = """
    import threading

    lock = threading.Lock()

    def outer():
        with lock:
            inner()

    def inner():
        with lock:  # blame
            print("never")

    outer()
"""


def traced(folder: Path, source: str, *options: str) -> tuple[dict[str, Any], list[int]]:
    """Trace the program; return what is told as JSON, and the lines that are to blame."""
    program = folder / "program.py"
    text = textwrap.dedent(source)
    program.write_text(text, encoding="utf-8")
    ended = cookbook(
        "trace", str(program), "--json", "--timeout", "40", "--keep", folder / "kept", *options
    )
    assert ended.returncode == 1, ended.stderr
    told: dict[str, Any] = json.loads(ended.stdout)
    lines = [n for n, line in enumerate(text.splitlines(), 1) if line.endswith("# blame")]
    return told, lines


def assert_deadlock(told: dict[str, Any], lines: list[int], *words: str) -> None:
    assert told["verdict"] == "deadlock", told["message"]
    headline = told["hang"]["headline"]
    for line in lines:
        assert f"program.py:{line}" in headline, headline
    for word in words:
        assert word in headline, headline


def test_two_threads_take_two_locks_in_two_orders(tmp_path: Path) -> None:
    """Both lines at which they wait are named, and the cycle has two tasks."""
    told, lines = traced(tmp_path, THREADS)
    assert_deadlock(told, lines, "Deadlock: ", "holds first", "holds second")
    assert len(told["hang"]["cycle"]) == 2
    for task in told["hang"]["cycle"]:  # blocked in C, and each has told its stack all the same
        assert told["hang"]["stacks"][str(task)][0].rpartition(":")[2] in map(str, lines)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_two_processes_take_two_locks_in_two_orders(tmp_path: Path, method: str) -> None:
    """The same across processes, whatever way they were started."""
    told, lines = traced(tmp_path, PROCESSES, "--start-method", method)
    assert_deadlock(told, lines, "Deadlock: ", "Process-1", "Process-2")
    assert len(told["hang"]["cycle"]) == 2
    assert {str(task) for task in told["hang"]["cycle"]} <= set(told["hang"]["stacks"])


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_process_is_joined_before_its_queue_is_drained(tmp_path: Path, method: str) -> None:
    """The line with the join is named, and the queue that must be emptied before."""
    told, lines = traced(tmp_path, JOIN_BEFORE_DRAIN, "--start-method", method)
    assert_deadlock(told, lines, "takes the 1 item out of queue")


def test_two_processes_send_and_nobody_receives(tmp_path: Path) -> None:
    """Both lines that send are named."""
    told, lines = traced(tmp_path, FULL_PIPE)
    assert_deadlock(told, lines, "the pipe is full both ways")


def test_a_notify_comes_before_the_wait(tmp_path: Path) -> None:
    """The wait is named, and the notify that came too early."""
    told, lines = traced(tmp_path, FORGOTTEN_NOTIFY)
    assert_deadlock(told, lines, "before the wait began")


def test_a_pools_worker_is_killed(tmp_path: Path) -> None:
    """The signal is named, and the line that waits for ever."""
    told, lines = traced(tmp_path, KILLED_WORKER)
    assert_deadlock(told, lines, "was killed by SIGKILL", "for the result")


def test_a_queue_has_no_producer_left(tmp_path: Path) -> None:
    """The get is named, and who was the last to put."""
    told, lines = traced(tmp_path, NO_PRODUCER)
    assert_deadlock(told, lines, "nobody is left who puts anything in")


def test_a_lock_is_taken_twice(tmp_path: Path) -> None:
    """The second acquire is named, and where the first was."""
    told, lines = traced(tmp_path, ITSELF)
    assert_deadlock(told, lines, "held by itself")


def test_who_waits_with_a_time_out_is_left_alone(tmp_path: Path) -> None:
    """All wait for seconds, and nothing happens: but each will give up, so nothing is ended."""
    program = tmp_path / "program.py"
    source = """
        import multiprocessing, queue, threading

        event, lock, items = threading.Event(), threading.Lock(), queue.Queue()
        condition, barrier = threading.Condition(), threading.Barrier(2, timeout=4)
        channel, ours = multiprocessing.Queue(), multiprocessing.Pipe()[0]

        def get(queue_):
            try:
                queue_.get(timeout=4)
            except queue.Empty:
                pass

        def wait_at_barrier():
            try:
                barrier.wait()
            except threading.BrokenBarrierError:
                pass

        def wait_for_notify():
            with condition:
                condition.wait(4)

        lock.acquire()
        targets = [
            lambda: event.wait(4), lambda: lock.acquire(timeout=4), lambda: get(items),
            lambda: get(channel), lambda: ours.poll(4), wait_at_barrier, wait_for_notify,
            lambda: threading.main_thread().join(4),
            lambda: multiprocessing.Semaphore(0).acquire(timeout=4),
        ]
        threads = [threading.Thread(target=target) for target in targets]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print("right")
    """
    program.write_text(textwrap.dedent(source), encoding="utf-8")
    ended = cookbook("trace", program)
    assert ended.stdout == "right\n"
    assert ended.returncode == 0, ended.stderr
    assert "can never go on" not in ended.stderr


def test_a_thread_that_nobody_sees_may_help(tmp_path: Path) -> None:
    """A thread that was not started by `threading` is not known: the program is left to it."""
    program = tmp_path / "program.py"
    source = """
        import _thread, os, select, threading

        event = threading.Event()
        silent, _ = os.pipe()

        def help_later():
            select.select([silent], [], [], 4)
            event.set()

        _thread.start_new_thread(help_later, ())
        event.wait()
        print("right")
    """
    program.write_text(textwrap.dedent(source), encoding="utf-8")
    ended = cookbook("trace", program)
    assert ended.stdout == "right\n"
    assert ended.returncode == 0, ended.stderr


def test_a_garbage_collection_before_a_thread_has_begun_makes_no_task(tmp_path: Path) -> None:
    """A new thread may collect before it is known: else nobody could ever tell that all wait."""
    program = tmp_path / "program.py"
    source = """
        import gc, threading

        class Late(threading.Thread):
            def _bootstrap(self):
                garbage = [[] for _ in range(400_000)]
                gc.collect()  # long enough to be recorded, in the thread, before it has begun
                super()._bootstrap()

        thread = Late()
        thread.start()
        thread.join()
    """
    program.write_text(textwrap.dedent(source), encoding="utf-8")
    told = json.loads(cookbook("trace", "--json", program).stdout)
    assert [task["name"] for task in told["tasks"]] == ["main", "Thread-1"]
