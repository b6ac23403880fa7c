"""Managers: methods, results, errors and texts are those of the real ones.

One program, with a single flow of control, is run for real and under the check; both must print the same.
"""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.check import Budget, Entry, check_entry

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import array, copy, multiprocessing, pickle, queue
from multiprocessing.managers import BaseManager, BaseProxy, MakeProxyType, SyncManager

class Stack:
    limit = 2
    def __init__(self, *items): self.items = list(items)
    def push(self, item):
        if len(self.items) == self.limit: raise OverflowError(item)
        self.items.append(item)
    def all(self): return self.items
    def numbers(self): return iter(self.items)
    def secret(self): return lambda: 1
    def leave(self): raise SystemExit(4)
    def _hidden(self): return "hidden"

class StackProxy(BaseProxy):
    _exposed_ = ("push", "_hidden")
    def push(self, item): return self._callmethod("push", (item,))
    def hidden(self): return self._callmethod("_hidden")
    def all(self): return self._callmethod("all")

class Own(SyncManager): pass
Own.register("Auto", Stack, method_to_typeid={{"numbers": "Iterator"}})
Own.register("Few", Stack, exposed=("push",))
Own.register("Typed", Stack, StackProxy)
Own.register("Set", set)

def tell(*calls):
    for call in calls:
        try:
            print(repr(call()))
        except BaseException as error:
            print(type(error).__module__, type(error).__name__, last_line(error))

def last_line(error):
    lines = [line for line in str(error).splitlines() if line.strip("- ")]
    return lines[-1] if lines else ""

if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    with Own() as m:
        {body}
"""

BODIES = {
    "list": """
        l = m.list([3, 1, 2])
        tell(lambda: l[0], lambda: l[9], lambda: l[1:], lambda: len(l), lambda: l.sort(), lambda: str(l))
        tell(lambda: l.append(lambda: 0), lambda: l.pop(7), lambda: list(l), lambda: 3 in l, lambda: l + [1])
        tell(lambda: l * 2, lambda: list(reversed(l)), lambda: l == [1, 2, 3], lambda: l.clear())
        tell(lambda: l._callmethod("nope"), lambda: l._callmethod("__repr__"), lambda: copy.deepcopy(l))
        l += [7]
        l *= 2
        del l[0]
        l[0] = l
        tell(lambda: type(l).__name__, lambda: l[1:], lambda: type(l[0]).__name__, lambda: l.index(7))
        tell(lambda: sum(l[1:]), lambda: l.remove(99), lambda: l._getvalue()[1:], lambda: l.count(7))
        """,
    "dict": """
        d = m.dict({"a": 1}, b=2)
        tell(lambda: d["a"], lambda: d["z"], lambda: d.get("z"), lambda: d.items(), lambda: d.keys())
        tell(lambda: d.values(), lambda: len(d), lambda: list(d), lambda: dict(d), lambda: str(d))
        tell(lambda: d.update(c=3), lambda: d.setdefault("c", 9), lambda: d.pop("c"), lambda: d.copy())
        tell(lambda: d.popitem(), lambda: d.pop("q"), lambda: d.__delitem__("q"), lambda: d[[]])
        tell(lambda: {**d})
        i = iter(d)
        tell(lambda: next(i), lambda: next(i), lambda: m.dict(1), lambda: m.dict("ab", 2), lambda: d | d)
        """,
    "small": """
        n = m.Namespace(x=1, _y=2)
        n.z = [1]
        n.z.append(2)
        del n.x
        tell(lambda: n.z, lambda: n.x, lambda: n._y, lambda: str(n), lambda: n.__class__.__name__)
        v = m.Value("i", 5)
        v.value += 1
        v.set(v.get() + 1)
        tell(lambda: v.value, lambda: str(v), lambda: v.missing)
        a = m.Array("i", [1, 2])
        a[0] = 7
        tell(lambda: a[:], lambda: len(a), lambda: str(a), lambda: a.__setitem__(0, "x"), lambda: a[5])
        """,
    "primitives": """
        k, r, s, b = m.Lock(), m.RLock(), m.Semaphore(2), m.BoundedSemaphore(1)
        tell(lambda: k.acquire(), lambda: k.acquire(False), lambda: k.acquire(True, 0.01))
        tell(lambda: k.release())
        tell(lambda: k.release(), lambda: r.acquire(), lambda: r.acquire(), lambda: r.release())
        tell(lambda: r.release(), lambda: r.release(), lambda: s.acquire(False), lambda: s.acquire(False))
        tell(lambda: s.acquire(False), lambda: b.release(), lambda: k.locked())
        c, e, q, j = m.Condition(), m.Event(), m.Queue(1), m.JoinableQueue()
        tell(lambda: c.notify(), lambda: c.acquire(), lambda: c.wait(0.01), lambda: c.wait_for(lambda: 5))
        tell(lambda: c.wait_for(lambda: 0, 0.01), lambda: c.notify_all(), lambda: c.release())
        tell(lambda: e.is_set(), lambda: e.wait(0.01), lambda: e.set(), lambda: e.wait(), lambda: e.clear())
        tell(lambda: q.put(1), lambda: q.put_nowait(2), lambda: q.full(), lambda: q.qsize(), lambda: q.get())
        tell(lambda: q.get(timeout=0.01), lambda: q.empty(), lambda: q.task_done(), lambda: q.task_done())
        tell(lambda: j.put(1), lambda: j.get(), lambda: j.task_done(), lambda: j.join(), lambda: q.queue)
        w = m.Barrier(1)
        tell(lambda: w.wait(), lambda: w.parties, lambda: w.n_waiting, lambda: w.abort(), lambda: w.broken)
        tell(lambda: w.wait(), lambda: w.reset(), lambda: w.wait(), lambda: m.Semaphore(-1))
        """,
    "own types": """
        a, f, t, x = m.Auto(1), m.Few(), m.Typed(), m.Set([1])
        tell(lambda: a.push(2), lambda: a.push(3), lambda: a.all(), lambda: a.secret(), lambda: a.items)
        tell(lambda: list(a.numbers()), lambda: a._callmethod("_hidden"), lambda: f.push(1), lambda: f.all())
        tell(lambda: t.hidden(), lambda: t.push(1), lambda: t.all(), lambda: x.add(2), lambda: x.union([3]))
        tell(lambda: str(x), lambda: type(a).__name__, lambda: type(t).__name__, lambda: a.push())
        tell(lambda: m.Set(1), lambda: m.Nothing(), lambda: a.leave())
        """,
    "the manager": """
        tell(lambda: m.start(), lambda: type(m.address), lambda: type(m).__name__, lambda: m._process.name)
        tell(lambda: [c.name for c in multiprocessing.active_children()], lambda: m.list().append(1))
        fresh = SyncManager()
        tell(lambda: fresh.list(), lambda: fresh.shutdown(), lambda: fresh.address, lambda: fresh.start(1))
        l = m.list()
        l.append(1)
        m.shutdown()
        tell(lambda: l[0], lambda: l.append(1), lambda: m.list(), lambda: m.start(), lambda: m.shutdown())
        tell(lambda: m.__enter__(), lambda: multiprocessing.active_children(), lambda: str(l)[-21:])
        """,
}


def real_output(file: Path) -> str:
    """Return what the program prints when it is run for real."""
    done = subprocess.run(
        [sys.executable, str(file)], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def _without_addresses(text: str) -> str:
    return re.sub(r" at 0x[0-9a-f]+", "", text)


@pytest.mark.parametrize("name", BODIES)
def test_a_manager_does_what_the_real_one_does(tmp_path: Path, name: str) -> None:
    """Each line that the real program prints is among the possible outputs of the simulated one."""
    file = tmp_path / "program.py"
    file.write_text(PROGRAM.format(body=BODIES[name].strip()))
    report = check_entry(Entry(file), target="program.py", strategy="dpor", budget=Budget(None, 60))
    assert report.verdict == "pass", report
    possible = {_without_addresses(outcome.stdout) for outcome in report.outcomes}
    expected = _without_addresses(real_output(file))
    assert expected.count("\n") >= 10, expected
    assert expected in possible
