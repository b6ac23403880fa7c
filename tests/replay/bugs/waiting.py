"""Mistakes with what tasks wait for: conditions, semaphores, events, barriers, timers, locks, threads."""

import threading
import time


def both(*works):
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def bug_notify_before_wait():
    changed = threading.Condition()

    def wait():
        with changed:
            changed.wait()

    def notify():
        with changed:
            changed.notify()

    both(wait, notify)


def bug_one_notify_for_two():
    changed = threading.Condition()
    is_ready = []

    def wait():
        with changed:
            changed.wait_for(lambda: is_ready)

    def notify():
        with changed:
            is_ready.append(True)
            changed.notify()

    both(wait, wait, notify)


def bug_wait_that_expires():
    changed = threading.Condition()
    items = []

    def take():
        with changed:
            changed.wait(timeout=1)
            items.pop()

    def give():
        with changed:
            items.append("parcel")
            changed.notify()

    both(take, give)


def bug_semaphore_taken_twice():
    places = threading.Semaphore(2)

    def work():
        with places, places:
            pass

    both(work, work)


def bug_semaphore_lets_two_in():
    places = threading.BoundedSemaphore(2)
    inside = 0

    def work():
        nonlocal inside
        with places:
            inside += 1
            assert inside == 1, inside
            inside -= 1

    both(work, work)


def bug_event_before_its_data():
    is_ready = threading.Event()
    data = {}

    def produce():
        is_ready.set()
        data["answer"] = 42

    def consume():
        is_ready.wait()
        assert data["answer"] == 42

    both(produce, consume)


def bug_barrier_without_its_last():
    gate = threading.Barrier(3)
    both(gate.wait, gate.wait)


def bug_barrier_aborted():
    gate = threading.Barrier(2)

    def give_up():
        gate.abort()

    both(gate.wait, give_up)


def bug_barrier_that_expires():
    gate = threading.Barrier(2, timeout=1)
    both(gate.wait, gate.wait)


def bug_timer_is_too_late():
    seen = []
    timer = threading.Timer(0.1, seen.append, ["tick"])
    timer.start()
    time.sleep(10)
    timer.cancel()
    timer.join()
    assert seen == ["tick"]


def bug_try_lock():
    lock = threading.Lock()
    missed = []

    def work():
        if lock.acquire(blocking=False):
            lock.release()
        else:
            missed.append(threading.current_thread().name)

    both(work, work)
    assert not missed, missed


def bug_lock_looked_at():
    lock = threading.Lock()
    seen = []

    def work():
        with lock:
            pass

    def look():
        seen.append(lock.locked())

    both(work, look)
    assert seen == [False]


def bug_reentrant_both_ways():
    a, b = threading.RLock(), threading.RLock()

    def forwards():
        with a, a, b:
            pass

    def backwards():
        with b, a:
            pass

    both(forwards, backwards)


def bug_is_alive():
    thread = threading.Thread(target=lambda: None)
    thread.start()
    was_alive = thread.is_alive()
    thread.join()
    assert was_alive


def bug_join_that_expires():
    is_over = threading.Event()
    thread = threading.Thread(target=is_over.wait)
    thread.start()
    thread.join(timeout=5)
    assert not thread.is_alive(), "still there"


def bug_nobody_waits():
    thread = threading.Thread(target=time.sleep, args=(1,))
    thread.start()


def bug_flag_that_nobody_sets():
    is_ready = False
    thread = threading.Thread(target=lambda: None)
    thread.start()
    while not is_ready:
        time.sleep(0.1)
    thread.join()
