"""Mistakes with queues."""

import queue
import threading


def bug_empty_then_get():
    jobs = queue.Queue()
    jobs.put(1)
    done = []

    def work():
        if not jobs.empty():
            done.append(jobs.get_nowait())

    both(work)


def bug_task_done_forgotten():
    jobs = queue.Queue()
    for job in range(2):
        jobs.put(job)

    def work():
        if jobs.get():
            jobs.task_done()

    threading.Thread(target=work, daemon=True).start()
    jobs.join()


def bug_full_both_ways():
    left, right = queue.Queue(1), queue.Queue(1)

    def exchange(mine, others):
        for item in range(2):
            mine.put(item)
        others.get()

    one = threading.Thread(target=exchange, args=(left, right))
    two = threading.Thread(target=exchange, args=(right, left))
    one.start(), two.start()
    one.join(), two.join()


def bug_priorities_are_no_order_of_arrival():
    jobs = queue.PriorityQueue()
    threads = [threading.Thread(target=jobs.put, args=(n,)) for n in (2, 1)]
    for thread in threads:
        thread.start()
    first = jobs.get()
    for thread in threads:
        thread.join()
    assert first == 1, first


def bug_simple_queue_read_too_early():
    answers = queue.SimpleQueue()
    thread = threading.Thread(target=answers.put, args=("yes",))
    thread.start()
    answer = answers.get(block=False)
    thread.join()
    return answer


def bug_last_in_is_not_first_out():
    stack = queue.LifoQueue()

    def work():
        stack.put(threading.current_thread().name)

    both(work)
    assert stack.get() == "2"


def both(work):
    threads = [threading.Thread(target=work, name=name) for name in "12"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
