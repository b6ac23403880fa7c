"""What an execution leaves behind: nothing that the next one would have to carry."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from parallel_cookbook.check.execution import Machine
from parallel_cookbook.check.program import Entry
from parallel_cookbook.strategies import Dpor

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import threading
from dataclasses import dataclass

@dataclass
class OnlyOfThisExecution:
    items: list

shared = OnlyOfThisExecution([])
lock = threading.Lock()

def work():
    with lock:
        shared.items.append(1)
        assert len(shared.items) < 4 and shared == shared

threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_no_execution_keeps_another_alive(tmp_path: Path) -> None:
    """Of the classes of a program, only those of its last two executions can still be there."""
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    machine = Machine(Entry(file), max_steps=1000)
    strategy = Dpor()
    executions = 1
    machine.execute(strategy, strategy.repeats)
    while strategy.next_execution():
        assert not machine.execute(strategy, strategy.repeats).faults
        executions += 1
    gc.collect()
    left = [
        one
        for one in gc.get_objects()
        if isinstance(one, type) and one.__name__ == "OnlyOfThisExecution"
    ]
    assert executions == 6
    assert 1 <= len(left) <= 2
