"""Small programs of processes, for what real life is compared with: most print what they have computed.

A program is told by its imports, what stands at the top level, and the body of its main.
"""

from __future__ import annotations

import textwrap

HEAD = """\
import os, sys, time
from ctypes import Structure, c_int
from multiprocessing import *
from multiprocessing.connection import wait
from multiprocessing.shared_memory import ShareableList, SharedMemory
from multiprocessing.sharedctypes import RawArray, RawValue
from queue import Empty, Full

def twice(work, *args):
    both = [Process(target=work, args=args) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()

"""


def program(top: str, main: str) -> str:
    """Return the source of a program."""
    body = textwrap.indent(textwrap.dedent(main).strip(), "    ")
    return f'{HEAD}{textwrap.dedent(top).strip()}\n\nif __name__ == "__main__":\n{body}\n'


def one(work: str, main: str, args: str = "") -> str:
    """Return a program whose main starts one process and joins it at its end."""
    top = f"def work({args}):\n{textwrap.indent(textwrap.dedent(work).strip(), '    ')}"
    return program(top, main)


PROGRAMS = {
    "exit codes": program(
        """
        def work(how):
            if how == 1: sys.exit(3)
            if how == 2: sys.exit("why")
            if how == 3: raise KeyError(how)
            if how == 4: sys.exit()
        """,
        """
        all = [Process(target=work, args=(how,)) for how in range(5)]
        for process in all:
            process.start()
            process.join()
        print([process.exitcode for process in all])
        """,
    ),
    "exit code of the first process": program("", "print(1)\nsys.exit(7)"),
    "an exception in the first process": program("", "print(1)\nraise LookupError('no')"),
    "an exception that nobody asks for": one(
        "raise ValueError('no')", "p = Process(target=work)\np.start()\np.join()\nprint('end')"
    ),
    "a pipe both ways": one(
        "end.send(end.recv() + 1)\nend.close()",
        """
        here, there = Pipe()
        p = Process(target=work, args=(there,))
        p.start()
        there.close()
        here.send(1)
        print(here.recv())
        try:
            here.recv()
        except EOFError as error:
            print(type(error).__name__)
        """,
        "end",
    ),
    "an end that stays open": one(
        "end.send(1)",
        """
        here, there = Pipe()
        Process(target=work, args=(there,)).start()
        print(here.recv(), flush=True)
        here.recv()
        """,
        "end",
    ),
    "a broken pipe": one(
        "end.close()",
        """
        here, there = Pipe()
        p = Process(target=work, args=(there,))
        p.start()
        there.close()
        p.join()
        try:
            here.send(1)
        except OSError as error:
            print(type(error).__name__)
        """,
        "end",
    ),
    "a full pipe": one(
        "end.recv_bytes()",
        """
        here, there = Pipe()
        p = Process(target=work, args=(there,))
        here.send_bytes(b"x" * 1_000_000)
        p.start()
        """,
        "end",
    ),
    "a full pipe that is emptied": one(
        "print(len(end.recv_bytes()))",
        """
        here, there = Pipe()
        p = Process(target=work, args=(there,))
        p.start()
        here.send_bytes(b"x" * 1_000_000)
        p.join()
        """,
        "end",
    ),
    "poll": one(
        "end.send(1)",
        """
        here, there = Pipe()
        p = Process(target=work, args=(there,))
        p.start()
        print(here.poll(0.06))
        p.join()
        print(here.poll())
        """,
        "end",
    ),
    "wait": one(
        "end.send(number)",
        """
        pipes = [Pipe(duplex=False) for _ in range(2)]
        all = [Process(target=work, args=(there, n)) for n, (_, there) in enumerate(pipes)]
        for p in all:
            p.start()
        print(sorted(end.recv() for end in wait([here for here, _ in pipes])))
        for p in all:
            p.join()
        """,
        "end, number",
    ),
    "two producers": one(
        "for letter in letters:\n    queue.put(letter)",
        """
        queue = Queue()
        for letters in ("ab", "cd"):
            Process(target=work, args=(queue, letters)).start()
        print([queue.get() for _ in range(4)])
        """,
        "queue, letters",
    ),
    "join before drain": one(
        "queue.put('x' * 1_000_000)",
        """
        queue = Queue()
        p = Process(target=work, args=(queue,))
        p.start()
        p.join(1)
        print(p.is_alive(), len(queue.get()))
        p.join()
        """,
        "queue",
    ),
    "a feeder that is not waited for": one(
        "queue.put('x' * 1_000_000)\nqueue.cancel_join_thread()",
        """
        queue = Queue()
        p = Process(target=work, args=(queue,))
        p.start()
        p.join()
        print(p.exitcode)
        """,
        "queue",
    ),
    "a bounded queue": one(
        "queue.put(1)\nqueue.put(2)",
        """
        queue = Queue(1)
        p = Process(target=work, args=(queue,))
        p.start()
        time.sleep(0.06)
        print(queue.full())
        print(queue.get(), queue.get(), queue.empty())
        try:
            queue.get(timeout=0.01)
        except Empty:
            print("empty")
        """,
        "queue",
    ),
    "an empty queue": one(
        "queue.put(1)",
        """
        queue = Queue()
        p = Process(target=work, args=(queue,))
        p.start()
        try:
            print(queue.get(timeout=0.06))
        except Empty:
            print("empty")
        p.join()
        """,
        "queue",
    ),
    "what is lost on the way": program(
        "",
        """
        queue = Queue()
        queue.put(lambda: None)
        queue.put(2)
        print(queue.get())
        """,
    ),
    "a joinable queue": one(
        "while (item := queue.get()) is not None:\n    queue.task_done()",
        """
        queue = JoinableQueue()
        p = Process(target=work, args=(queue,))
        p.start()
        for item in (1, 2):
            queue.put(item)
        queue.join()
        print("done")
        queue.put(None)
        p.join()
        """,
        "queue",
    ),
    "one task_done too many": program(
        "",
        """
        queue = JoinableQueue()
        queue.task_done()
        """,
    ),
    "a simple queue": one(
        "queue.put(number)",
        "queue = SimpleQueue()\n"
        "for number in range(2):\n    Process(target=work, args=(queue, number)).start()\n"
        "print(queue.get(), queue.get(), queue.empty())",
        "queue, number",
    ),
    "bare increments": one(
        "value.value += 1", "value = Value('i', 0)\ntwice(work, value)\nprint(value.value)", "value"
    ),
    "increments in two looks": one(
        "seen = value.value\ntime.sleep(0.05)\nvalue.value = seen + 1",
        "value = Value('i', 0)\ntwice(work, value)\nprint(value.value)",
        "value",
    ),
    "increments with get_lock": one(
        "with value.get_lock():\n    value.value += 1",
        "value = Value('i', 0)\ntwice(work, value)\nprint(value.value)",
        "value",
    ),
    "an array": one(
        "numbers[place] = place + 1\nraw[place] += 1",
        """
        numbers, raw = Array("i", 2), RawArray("d", [0.5, 1.5])
        all = [Process(target=work, args=(numbers, raw, place)) for place in range(2)]
        for p in all: p.start()
        for p in all: p.join()
        print(numbers[:], list(raw))
        """,
        "numbers, raw, place",
    ),
    "a structure": program(
        """
        class Point(Structure):
            _fields_ = [("x", c_int), ("y", c_int)]

        def work(point):
            point.x, point.y = 3, 4
        """,
        """
        point = Value(Point, 1, 2)
        p = Process(target=work, args=(point,))
        p.start()
        p.join()
        print(point.x, point.y)
        """,
    ),
    "shared memory": one(
        """
        block = SharedMemory(name)
        block.buf[0] += 1
        block.close()
        """,
        """
        block = SharedMemory(create=True, size=8)
        p = Process(target=work, args=(block.name,))
        p.start()
        p.join()
        print(block.buf[0])
        block.close()
        block.unlink()
        """,
        "name",
    ),
    "a lock": one(
        "with lock:\n    end.send(1)\n    end.send(2)",
        """
        lock = Lock()
        here, there = Pipe()
        all = [Process(target=work, args=(lock, there)) for _ in range(2)]
        for p in all: p.start()
        print([here.recv() for _ in range(4)])
        """,
        "lock, end",
    ),
    "a lock that is held": one(
        "print(lock.acquire(timeout=0.01), lock.acquire(False))",
        "lock = Lock()\nlock.acquire()\np = Process(target=work, args=(lock,))\np.start()\np.join()",
        "lock",
    ),
    "a lock that a dead process holds": one(
        "lock.acquire()",
        """
        lock = Lock()
        p = Process(target=work, args=(lock,))
        p.start()
        p.join()
        lock.acquire()
        """,
        "lock",
    ),
    "somebody else's locks": one(
        """
        lock.release()
        try:
            rlock.release()
        except AssertionError:
            print("not owned")
        """,
        """
        lock, rlock = Lock(), RLock()
        lock.acquire(), rlock.acquire()
        p = Process(target=work, args=(lock, rlock))
        p.start()
        p.join()
        print(lock.acquire(False))
        rlock.release()
        """,
        "lock, rlock",
    ),
    "semaphores": one(
        "print(semaphore.acquire(timeout=0.01))",
        """
        semaphore = Semaphore(1)
        twice(work, semaphore)
        bounded = BoundedSemaphore(1)
        try:
            bounded.release()
        except ValueError as error:
            print(error)
        """,
        "semaphore",
    ),
    "an event": one(
        "print(event.wait(0.06), event.wait())",
        """
        event = Event()
        p = Process(target=work, args=(event,))
        p.start()
        event.set()
        p.join()
        print(event.is_set())
        """,
        "event",
    ),
    "a condition": one(
        "with condition:\n    value.value = 1\n    condition.notify()",
        """
        condition, value = Condition(), RawValue("i", 0)
        p = Process(target=work, args=(condition, value))
        with condition:
            p.start()
            print(condition.wait_for(lambda: value.value, 5))
        """,
        "condition, value",
    ),
    "a lost notify": one(
        "with condition:\n    condition.notify()",
        """
        condition = Condition()
        p = Process(target=work, args=(condition,))
        p.start()
        time.sleep(0.05)
        with condition:
            print(condition.wait(0.1))
        """,
        "condition",
    ),
    "a barrier": one(
        "places.put(barrier.wait())",
        """
        barrier, places = Barrier(3), SimpleQueue()
        for _ in range(2):
            Process(target=work, args=(barrier, places)).start()
        print(sorted([barrier.wait(), places.get(), places.get()]), barrier.broken)
        """,
        "barrier, places",
    ),
    "a barrier that breaks": program(
        "",
        """
        try:
            Barrier(2).wait(0.01)
        except Exception as error:
            print(type(error).__name__)
        """,
    ),
    "processes of processes": program(
        """
        def inner(queue):
            queue.put(parent_process().name)

        def outer(queue):
            p = Process(target=inner, args=(queue,), name="inner")
            p.start()
            p.join()
        """,
        """
        queue = SimpleQueue()
        p = Process(target=outer, args=(queue,), name="outer")
        p.start()
        print(queue.get())
        """,
    ),
    "a daemon with children": program(
        """
        def nothing(): pass

        def work():
            try:
                Process(target=nothing).start()
            except AssertionError as error:
                print(error)
        """,
        "p = Process(target=work, daemon=True)\np.start()\np.join()",
    ),
    "a daemon that is left": one(
        "time.sleep(60)", "Process(target=work, daemon=True).start()\nprint('end')"
    ),
    "terminate": one(
        "time.sleep(60)",
        """
        p = Process(target=work)
        p.start()
        p.terminate()
        p.join()
        print(p.exitcode, p.is_alive())
        """,
    ),
    "kill": one(
        "time.sleep(60)",
        "p = Process(target=work)\np.start()\np.kill()\np.join()\nprint(p.exitcode)",
    ),
    "a lambda": program("", "Process(target=lambda: None).start()"),
    "an unguarded main": HEAD
    + "def work():\n    print(1)\n\np = Process(target=work)\np.start()\np.join()\n",
    "an argument that cannot be pickled": one(
        "pass",
        """
        try:
            Process(target=work, args=(open(os.devnull),)).start()
        except TypeError as error:
            print(error)
        """,
        "file",
    ),
    "an argument that cannot be unpickled": program(
        """
        class Odd:
            def __reduce__(self): return int, ("x",)

        def work(odd): pass
        """,
        "p = Process(target=work, args=(Odd(),))\np.start()\np.join()\nprint(p.exitcode)",
    ),
    "a global of the parent's": program(
        "colour = 'red'\ndef work(): print(colour)",
        "colour = 'blue'\np = Process(target=work)\np.start()\np.join()\nprint(colour)",
    ),
    "started twice": one("pass", "p = Process(target=work)\np.start()\np.join()\np.start()"),
    "a pool": program(
        "def double(x): return 2 * x",
        """
        with Pool(2) as pool:
            print(pool.map(double, range(3)))
            print(sorted(pool.imap_unordered(double, [3, 4])))
        """,
    ),
    "items that are taken one by one": program(
        """
        def double(x): return 2 * x

        def items(asked):
            for n in range(2):
                asked.append(n)
                yield n
            raise LookupError
        """,
        """
        asked = []
        with Pool(1) as pool:
            it = pool.imap(double, items(asked))
            print(next(it), next(it), asked)
            try:
                next(it)
            except LookupError as error:
                print(type(error).__name__)
        """,
    ),
    "a pool on a value": program(
        """
        def install(value):
            global shared
            shared = value

        def add(n):
            shared.value += n
        """,
        """
        value = Value("i", 0)
        with Pool(2, install, (value,)) as pool:
            pool.map(add, [1, 1])
        print(value.value)
        """,
    ),
    "what a worker raises": program(
        "def fail(x): raise LookupError(x)",
        """
        with Pool(1) as pool:
            for call in (lambda: pool.map(fail, [1]), lambda: pool.map(lambda x: x, [1])):
                try:
                    call()
                except Exception as error:
                    print(type(error).__name__)
        """,
    ),
    "a manager": one(
        "table['n'] += 1\nnested = table['list']\nnested.append(1)\nitems.append(2)",
        """
        with Manager() as manager:
            table = manager.dict(n=0, list=[])
            items = manager.list()
            twice(work, table, items)
            print(table, items)
        """,
        "table, items",
    ),
    "a manager's lock": one(
        "with lock: table['n'] += 1",
        """
        with Manager() as manager:
            table, lock = manager.dict(n=0), manager.Lock()
            twice(work, table, lock)
            print(table["n"])
        """,
        "table, lock",
    ),
    "a manager that is gone": program(
        "",
        """
        manager = Manager()
        table = manager.dict()
        manager.shutdown()
        try:
            table["x"] = 1
        except (OSError, EOFError) as error:
            print("gone")
        """,
    ),
    "parts of structures": program(
        """
        class Pair(Structure):
            _fields_ = [("a", c_int), ("b", c_int * 2)]

        def work(pairs):
            pairs[1].a += 1
            pairs[1].b[1] += 1
        """,
        """
        pairs = RawArray(Pair, 2)
        twice(work, pairs)
        print(pairs[1].a, pairs[1].b[1], pairs[0].a)
        """,
    ),
    "text in shared memory": one(
        "text.value = b'ab'\nprint(text.raw[:3])",
        """
        text = Array("c", 4)
        p = Process(target=work, args=(text,))
        p.start()
        p.join()
        print(text.value, text[0], len(text))
        """,
        "text",
    ),
    "a queue in a message": program("", "Pipe()[0].send(Queue())"),
}
