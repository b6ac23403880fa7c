"""Small programs of processes with known answers, each a function of one of three files.

`p_...` is right in every interleaving, `f_...` can go wrong, `u_...` comes to no verdict. Most are
assumptions that people make about queues, pools, callbacks and managers; those of the second file are
loops in which a state grows that lies in shared memory, a queue or a manager: an execution must not be
taken to come back to where it was. In the third file memory is handed over by whatever synchronises: nothing
races, and none of the right programs is warned of.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.check import Budget, Entry, check_entry

if TYPE_CHECKING:
    from pathlib import Path

ASSUMPTIONS = """\
import os, time, threading
from queue import Empty, Full
from multiprocessing import *
from multiprocessing.connection import wait
from concurrent.futures import ProcessPoolExecutor, as_completed, wait as fwait, FIRST_COMPLETED


def start(*pairs):
    ps = [Process(target=f, args=a) for f, a in pairs]
    for p in ps:
        p.start()
    return ps


def joinall(ps):
    for p in ps:
        p.join()


def w1(c, q):
    if c.poll():
        q.put(c.recv())


def f_poll():
    a, b = Pipe()
    a.send(1)
    q = Queue()
    ps = start((w1, (b, q)), (w1, (b, q)))
    joinall(ps)


def w2(l):
    if len(l):
        l.pop()


def f_mpop():
    m = Manager()
    l = m.list([1])
    ps = start((w2, (l,)), (w2, (l,)))
    joinall(ps)
    assert all(p.exitcode == 0 for p in ps)


def sq(x):
    return x * x


def p_cb():
    r = []
    pool = Pool(2)
    for i in range(2):
        pool.apply_async(sq, (i,), callback=r.append)
    pool.close()
    pool.join()
    assert sorted(r) == [0, 1], r


def f_cb():
    r = []
    with Pool(1) as pool:
        x = pool.apply_async(sq, (1,), callback=r.append)
        time.sleep(1)
        assert r == [1]


def w5(q, v):
    q.put(1)
    v.value = 1


def f_order():
    q = Queue()
    v = Value("i", 0)
    ps = start((w5, (q, v)))
    q.get()
    assert v.value == 1
    joinall(ps)


def w6(q, v):
    v.value = 1
    q.put(1)


def p_order():
    q = Queue()
    v = Value("i", 0)
    ps = start((w6, (q, v)))
    q.get()
    assert v.value == 1
    joinall(ps)


def w7(q1, q2):
    q1.put(1)
    q2.put(2)


def f_twoq():
    a = Queue()
    b = Queue()
    ps = start((w7, (a, b)))
    b.get()
    assert not a.empty()
    a.get()
    joinall(ps)


def w8(q):
    q.put(1)
    q.put(2)


def p_fifo():
    q = Queue()
    ps = start((w8, (q,)))
    assert (q.get(), q.get()) == (1, 2)
    joinall(ps)


def w9(c):
    with c:
        c.notify()


def f_cond():
    c = Condition()
    ps = start((w9, (c,)))
    with c:
        c.wait()
    joinall(ps)


def w10(q):
    q.put(1)


def p_qsize():
    q = Queue()
    ps = start((w10, (q,)))
    joinall(ps)
    assert q.qsize() == 1


def f_emptyafterjoin():
    # main's own put: feeder may not have fed
    q = Queue()
    q.put(1)
    assert not q.empty()
    q.get()


def w11(q):
    q.put(1)


def f_full():
    q = Queue(1)
    ps = start((w11, (q,)), (w11, (q,)))
    time.sleep(1)
    joinall(ps)


def f_asc():
    with ProcessPoolExecutor(2) as ex:
        fs = [ex.submit(sq, i) for i in (1, 2)]
        assert [f.result() for f in as_completed(fs)] == [1, 4]


def p_exmap():
    with ProcessPoolExecutor(2) as ex:
        assert list(ex.map(sq, [1, 2, 3])) == [1, 4, 9]


def w13(e):
    e.wait()


def f_ev():
    e = Event()
    ps = start((w13, (e,)))
    e.set()
    e.clear()
    joinall(ps)


def w14(b, v):
    v.value = 1
    b.wait()


def p_bar():
    b = Barrier(2)
    v = Value("i", 0)
    ps = start((w14, (b, v)))
    b.wait()
    assert v.value == 1
    joinall(ps)


def w15():
    pass


def f_alive():
    p = Process(target=w15)
    p.start()
    time.sleep(10)
    assert not p.is_alive()
    p.join()


def w16(v):
    v[0] = 1
    v[1] = 1


def f_term():
    v = RawArray("i", 2)
    p = Process(target=w16, args=(v,))
    p.start()
    p.terminate()
    p.join()
    assert v[0] == v[1]


def w17(q):
    q.get()
    q.task_done()


def f_jq():
    q = JoinableQueue()
    q.put(1)
    q.put(2)
    ps = start((w17, (q,)))
    q.join()


def w18(q):
    if not q.empty():
        q.get()


def f_sq():
    q = SimpleQueue()
    q.put(1)
    ps = start((w18, (q,)), (w18, (q,)))
    joinall(ps)


def w19(d, l):
    l.acquire()
    d["a"] = d.get("a", 0) + 1
    l.release()


def p_mlock():
    m = Manager()
    d = m.dict()
    l = m.Lock()
    ps = start((w19, (d, l)), (w19, (d, l)))
    joinall(ps)
    assert d["a"] == 2


def w20(d):
    d.setdefault("a", []).append(1)


def f_setdef():
    m = Manager()
    d = m.dict()
    ps = start((w20, (d,)))
    joinall(ps)
    assert d["a"] == [1]


def w21(n):
    n.x += 1


def f_ns():
    m = Manager()
    n = m.Namespace(x=0)
    ps = start((w21, (n,)), (w21, (n,)))
    joinall(ps)
    assert n.x == 2


def f_imu():
    with Pool(2) as p:
        assert list(p.imap_unordered(sq, [1, 2])) == [1, 4]


glob = 0


def w22(_):
    global glob
    glob += 1
    return glob


def f_poolstate():
    with Pool(2) as p:
        assert p.map(w22, [0, 0]) == [1, 1]


def f_poolstate2():
    with Pool(2) as p:
        assert sorted(p.map(w22, [0, 0])) == [1, 2]


def w23(s):
    s.release()


def p_sem():
    s = Semaphore(0)
    ps = start((w23, (s,)), (w23, (s,)))
    s.acquire()
    s.acquire()
    joinall(ps)
    assert not s.acquire(False)


def w24(c1, c2):
    c1.send(1)
    c2.send(2)


def f_wait():
    a, b = Pipe()
    c, d = Pipe()
    ps = start((w24, (b, d)))
    r = wait([a, c])
    assert r == [a]
    joinall(ps)


class T(Process):
    def run(self):
        self.x = 5


def f_sub():
    t = T()
    t.x = 0
    t.start()
    t.join()
    assert t.x == 5


def w25(l, c):
    with l:
        with c:
            pass


def f_2l():
    a = Lock()
    b = RLock()
    ps = start((w25, (a, b)), (w25, (b, a)))
    joinall(ps)


def w26(v):
    for _ in range(2):
        with v.get_lock():
            v.value += 1


def p_sum():
    v = Value("i", 0)
    ps = start((w26, (v,)), (w26, (v,)))
    joinall(ps)
    assert v.value == 4


def w27(q, n):
    while (x := q.get()) is not None:
        n.put(x)


def p_pipeline():
    a = Queue()
    b = Queue()
    ps = start((w27, (a, b)))
    for x in (1, 2, None):
        a.put(x)
    assert [b.get(), b.get()] == [1, 2]
    joinall(ps)


def f_fut():
    with ProcessPoolExecutor(1) as ex:
        f = ex.submit(sq, 2)
        assert not f.done()
        f.result()


def f_cancel():
    with ProcessPoolExecutor(1) as ex:
        f = ex.submit(sq, 2)
        g = ex.submit(sq, 3)
        assert g.cancel()


def w28(e, c):
    e.wait()
    c.send(1)


def f_timeout():
    e = Event()
    a, b = Pipe()
    ps = start((w28, (e, b)))
    e.set()
    assert a.poll(5)
    joinall(ps)


def f_jointo():
    p = Process(target=w15)
    p.start()
    p.join(10)
    assert p.exitcode == 0


def p_cbt():
    r = []
    with Pool(1) as pool:
        pool.apply_async(sq, (1,), callback=r.append)
    a = list(r)
    time.sleep(1)
    assert a == r


def p_cbinner():
    r = []
    pool = Pool(1)
    x = pool.map_async(sq, [1, 2], callback=r.extend)
    x.wait()
    assert r == [1, 4]
    pool.close()
    pool.join()


def f_cberr():
    pool = Pool(1)
    pool.apply_async(sq, (1,), callback=lambda x: 1 / 0)
    pool.close()
    pool.join()
"""

GROWING = """\
import ctypes, time
from multiprocessing import *
from multiprocessing.shared_memory import *
from multiprocessing.heap import BufferWrapper


class P(ctypes.Structure):
    _fields_ = [("a", ctypes.c_int), ("b", ctypes.c_int * 2)]


def bump(kind, x):
    if kind == "value":
        x.value += 1
        return x.value
    if kind == "array":
        x[0] += 1
        return x[0]
    if kind == "struct":
        x.b[1] += 1
        return x.b[1]
    if kind == "shm":
        x.buf[0] += 1
        return x.buf[0]
    if kind == "sl":
        x[0] += 1
        return x[0]
    if kind == "dict":
        x["n"] += 1
        return x["n"]
    if kind == "list":
        x.append(1)
        return len(x)
    if kind == "ns":
        x.n += 1
        return x.n
    if kind == "mval":
        x.value += 1
        return x.value
    if kind == "sem":
        x.release()
        return x.get_value()
    if kind == "queue":
        x.put(1)
        return x.qsize()
    if kind == "heap":
        v = x.create_memoryview()
        v[0] += 1
        return v[0]
    if kind == "mqueue":
        x.put(1)
        return x.qsize()
    if kind == "nested":
        d = x["l"]
        d.append(1)
        x["l"] = d
        return len(d)
    if kind == "glob":
        G.append(1)
        return len(G)


G = []


def work(kind, x, done):
    while not done.is_set():
        assert bump(kind, x) < 4


def go(kind, x):
    done = Event()
    p = Process(target=work, args=(kind, x, done))
    p.start()
    time.sleep(1)
    done.set()
    p.join()


def f_value():
    go("value", Value("i", 0))


def f_raw():
    go("value", RawValue("i", 0))


def f_array():
    go("array", Array("i", 2))


def f_struct():
    go("struct", RawValue(P))


def f_shm():
    go("shm", SharedMemory(create=True, size=4))


def f_sl():
    go("sl", ShareableList([0]))


def f_dict():
    m = Manager()
    go("dict", m.dict(n=0))


def f_list():
    m = Manager()
    go("list", m.list())


def f_ns():
    m = Manager()
    go("ns", m.Namespace(n=0))


def f_mval():
    m = Manager()
    go("mval", m.Value("i", 0))


def f_sem():
    go("sem", Semaphore(0))


def f_queue():
    go("queue", Queue())


def f_heap():
    go("heap", BufferWrapper(4))


def f_mqueue():
    m = Manager()
    go("mqueue", m.Queue())


def f_nested():
    m = Manager()
    go("nested", m.dict(l=[]))


def f_glob():
    go("glob", 0)


def w7(x):
    while x.value < 3:
        with x.get_lock():
            x.value += 1


def f_over():
    x = Value("i", 0)
    ps = [Process(target=w7, args=(x,)) for _ in range(2)]
    for p in ps:
        p.start()
    for p in ps:
        p.join()
    assert x.value == 3


def w8(lock, other, tries):
    while True:
        with lock:
            if other.acquire(False):
                other.release()
                return
        with tries.get_lock():
            tries.value += 1
            assert tries.value < 4


def f_retry():
    a = Lock()
    b = Lock()
    t = Value("i", 0)
    ps = [Process(target=w8, args=x) for x in ((a, b, t), (b, a, t))]
    for p in ps:
        p.start()
    for p in ps:
        p.join()


def w9(lock, other, buf):
    while True:
        with lock:
            if other.acquire(False):
                other.release()
                return
        buf.buf[0] += 1
        assert buf.buf[0] < 4


def f_retryshm():
    a = Lock()
    b = Lock()
    t = SharedMemory(create=True, size=4)
    ps = [Process(target=w9, args=x) for x in ((a, b, t), (b, a, t))]
    for p in ps:
        p.start()
    for p in ps:
        p.join()


def w10(lock, other):
    while True:
        with lock:
            if other.acquire(False):
                other.release()
                return


def u_polite():
    a = Lock()
    b = Lock()
    ps = [Process(target=w10, args=x) for x in ((a, b), (b, a))]
    for p in ps:
        p.start()
    for p in ps:
        p.join()
"""

HANDED_OVER = """\
import time
from multiprocessing import *
from multiprocessing.connection import wait
from multiprocessing.shared_memory import *
from multiprocessing.sharedctypes import RawArray, RawValue
from concurrent.futures import ProcessPoolExecutor


def start(*pairs):
    ps = [Process(target=f, args=a) for f, a in pairs]
    for p in ps:
        p.start()
    return ps


def joinall(ps):
    for p in ps:
        p.join()


def w_sem(a, s):
    a[0] = 1
    s.release()


def p_sem():
    a = RawArray("i", 1)
    s = Semaphore(0)
    ps = start((w_sem, (a, s)))
    s.acquire()
    a[0] += 1
    joinall(ps)
    assert a[0] == 2


def w_ev(a, e):
    a[0] = 1
    e.set()


def p_ev():
    a = RawArray("i", 1)
    s = Event()
    ps = start((w_ev, (a, s)))
    s.wait()
    a[0] += 1
    joinall(ps)


def p_evpoll():
    a = RawArray("i", 1)
    s = Event()
    ps = start((w_ev, (a, s)))
    while not s.is_set():
        time.sleep(0.1)
    a[0] += 1
    joinall(ps)


def w_q(a, q):
    a[0] = 1
    q.put(1)


def p_q():
    a = RawArray("i", 1)
    q = Queue()
    ps = start((w_q, (a, q)))
    q.get()
    a[0] += 1
    joinall(ps)


def p_sq():
    a = RawArray("i", 1)
    q = SimpleQueue()
    ps = start((w_q, (a, q)))
    q.get()
    a[0] += 1
    joinall(ps)


def w_jq(a, q):
    q.get()
    a[0] = 1
    q.task_done()


def p_jq():
    a = RawArray("i", 1)
    q = JoinableQueue()
    q.put(1)
    ps = start((w_jq, (a, q)))
    q.join()
    a[0] += 1
    joinall(ps)


def w_p(a, c):
    a[0] = 1
    c.send(1)


def p_pipe():
    a = RawArray("i", 1)
    x, y = Pipe()
    ps = start((w_p, (a, y)))
    x.recv()
    a[0] += 1
    joinall(ps)


def p_wait():
    a = RawArray("i", 1)
    x, y = Pipe()
    ps = start((w_p, (a, y)))
    wait([x])
    a[0] += 1
    joinall(ps)


def p_poll():
    a = RawArray("i", 1)
    x, y = Pipe()
    ps = start((w_p, (a, y)))
    while not x.poll():
        pass
    a[0] += 1
    joinall(ps)


def w_n(a):
    a[0] = 1


def p_sent():
    a = RawArray("i", 1)
    ps = start((w_n, (a,)))
    wait([ps[0].sentinel])
    a[0] += 1
    joinall(ps)


def p_alive():
    a = RawArray("i", 1)
    ps = start((w_n, (a,)))
    while ps[0].is_alive():
        time.sleep(0.1)
    a[0] += 1
    joinall(ps)


def p_exitcode():
    a = RawArray("i", 1)
    ps = start((w_n, (a,)))
    while ps[0].exitcode is None:
        time.sleep(0.1)
    a[0] += 1


def p_jointo():
    a = RawArray("i", 1)
    ps = start((w_n, (a,)))
    ps[0].join(5)
    if ps[0].exitcode is not None:
        a[0] += 1
    joinall(ps)


def w_c(a, c):
    with c:
        a[0] = 1
        c.notify()


def p_cond():
    a = RawArray("i", 1)
    c = Condition()
    ps = start((w_c, (a, c)))
    with c:
        c.wait_for(lambda: a[0])
        a[0] += 1
    joinall(ps)


def w_b(a, b, i):
    a[i] = 1
    b.wait()
    assert a[1 - i] == 1


def p_bar():
    a = RawArray("i", 2)
    b = Barrier(2)
    joinall(start((w_b, (a, b, 0)), (w_b, (a, b, 1))))
    assert list(a) == [1, 1]


def w_f(a, v):
    a[0] = 1
    v.value = 1


def p_flag():
    a = RawArray("i", 1)
    v = Value("i", 0)
    ps = start((w_f, (a, v)))
    while not v.value:
        pass
    a[0] += 1
    joinall(ps)


def w_m(a, l):
    with l:
        a[0] += 1


def p_mlock():
    m = Manager()
    a = RawArray("i", 1)
    l = m.Lock()
    joinall(start((w_m, (a, l)), (w_m, (a, l))))


def p_mrlock():
    m = Manager()
    a = RawArray("i", 1)
    l = m.RLock()
    joinall(start((w_m, (a, l)), (w_m, (a, l))))


def p_sem1():
    a = RawArray("i", 1)
    l = Semaphore(1)
    joinall(start((w_m, (a, l)), (w_m, (a, l))))


def p_cond2():
    a = RawArray("i", 1)
    l = Condition()
    joinall(start((w_m, (a, l)), (w_m, (a, l))))


def w_mq(a, q):
    a[0] = 1
    q.put(1)


def p_mq():
    m = Manager()
    a = RawArray("i", 1)
    q = m.Queue()
    ps = start((w_mq, (a, q)))
    q.get()
    a[0] += 1
    joinall(ps)


def p_mev():
    m = Manager()
    a = RawArray("i", 1)
    s = m.Event()
    ps = start((w_ev, (a, s)))
    s.wait()
    a[0] += 1
    joinall(ps)


def w_md(a, d):
    a[0] = 1
    d["x"] = 1


def p_mdict():
    m = Manager()
    a = RawArray("i", 1)
    d = m.dict()
    ps = start((w_md, (a, d)))
    while "x" not in d:
        time.sleep(0.1)
    a[0] += 1
    joinall(ps)


G = None


def init(a):
    global G
    G = a


def put(i):
    G[i] += 1


def p_pool():
    a = RawArray("i", 2)
    with Pool(2, init, (a,)) as p:
        p.map(put, [0, 1])
    a[0] += 1
    a[1] += 1


def p_pool2():
    a = RawArray("i", 2)
    with Pool(2, init, (a,)) as p:
        p.apply(put, (0,))
        a[0] += 1
        p.apply(put, (0,))
        r = p.apply_async(put, (0,))
        r.wait()
        a[0] += 1
        for _ in p.imap_unordered(put, [1]):
            a[1] += 1
        for _ in p.imap(put, iter([1])):
            a[1] += 1


def p_ex():
    a = RawArray("i", 2)
    with ProcessPoolExecutor(2, initializer=init, initargs=(a,)) as p:
        p.submit(put, 0).result()
        a[0] += 1
        f = p.submit(put, 1)
    a[1] += 1


def w_try(a, l):
    while not l.acquire(False):
        time.sleep(0.1)
    a[0] += 1
    l.release()


def p_try():
    a = RawArray("i", 1)
    l = Lock()
    joinall(start((w_try, (a, l)), (w_try, (a, l))))


def w_ti(a, l):
    if l.acquire(timeout=1):
        a[0] += 1
        l.release()


def p_timed():
    a = RawArray("i", 1)
    l = Lock()
    joinall(start((w_ti, (a, l)), (w_ti, (a, l))))


def w_shm(name, e):
    s = SharedMemory(name)
    s.buf[0] = 1
    s.close()
    e.set()


def p_shm():
    s = SharedMemory(create=True, size=8)
    s.buf[0] = 5
    e = Event()
    ps = start((w_shm, (s.name, e)))
    e.wait()
    s.buf[0] += 1
    joinall(ps)
    s.close()
    s.unlink()


def p_term():
    a = RawArray("i", 1)
    p = Process(target=w_n, args=(a,))
    p.start()
    p.terminate()
    p.join()
    a[0] += 1


class S(Process):
    def __init__(self, a):
        super().__init__()
        self.a = a

    def run(self):
        self.a[0] += 1


def p_seq():
    a = RawArray("i", 1)
    for _ in range(2):
        s = S(a)
        s.start()
        s.join()
    assert a[0] == 2


def p_proxychain():
    m = Manager()
    d = m.dict(n=0)
    l = Lock()
    joinall(start((w_pc, (d, l)), (w_pc, (d, l))))
    assert d["n"] == 2


def w_pc(d, l):
    with l:
        d["n"] += 1


def w_mono(d, i):
    d[i] = d.get(i, 0) + 1


def p_ownkeys():
    m = Manager()
    d = m.dict()
    joinall(start((w_mono, (d, 0)), (w_mono, (d, 1))))
    assert dict(d) == {0: 1, 1: 1}
"""

VERDICTS = {"p": "pass", "f": "fail", "u": "unknown"}
CASES = [
    (source, name)
    for source in (ASSUMPTIONS, GROWING, HANDED_OVER)
    for name in re.findall(r"^def ([pfu]_\w+)", source, re.MULTILINE)
]


@pytest.mark.parametrize(("source", "name"), CASES, ids=[name for _, name in CASES])
def test_the_answer_is_the_known_one(source: str, name: str, tmp_path: Path) -> None:
    """The first letter of a function's name says the verdict; the exhaustive search must come to it."""
    file = tmp_path / "program.py"
    file.write_text(source)
    entry = Entry(file, "program", name)
    report = check_entry(entry, target=name, budget=Budget(None, 60))
    assert report.verdict == VERDICTS[name[0]], report
    assert report.exhaustive == (name[0] == "p")
    assert name[0] != "p" or not report.warnings
