"""Explore a small program exhaustively, in two ways, and say what came out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.kernel import Ending, Kernel, Task
from parallel_cookbook.simulation import fresh_module, shut_down
from parallel_cookbook.strategies.dfs import Dfs
from parallel_cookbook.strategies.dpor import Dpor

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


class Modules:
    """The simulated modules of one execution."""

    def __init__(self) -> None:
        self.threading: ModuleType = fresh_module("threading")
        self._made: dict[str, ModuleType] = {"threading": self.threading}

    def __getattr__(self, name: str) -> ModuleType:
        name = {"thread": "_thread"}.get(name, name)
        if name not in self._made:
            self._made[name] = fresh_module(name)
        return self._made[name]

    def together(self, *functions: Callable[[], object]) -> list[object]:
        """Run the functions at the same time; return their results, or the types of their errors.

        The first one runs in the main flow, the others as threads of their own.
        """
        results: list[object] = [None] * len(functions)

        def run(index: int, function: Callable[[], object]) -> None:
            try:
                results[index] = function()
            except Exception as error:  # noqa: BLE001 - part of the outcome
                results[index] = type(error).__name__

        threads = [
            self.threading.Thread(target=run, args=(index, function), name=f"T{index}")
            for index, function in enumerate(functions[1:], 1)
        ]
        for thread in threads:
            thread.start()
        run(0, functions[0])
        for thread in threads:
            thread.join()
        return results


@dataclass(frozen=True)
class Claim:
    """What is said of a program."""

    program: Callable[[Modules], object]
    executions: int | None
    """How many DPOR needs; None if no number can be argued."""
    outcomes: set[str] | None

    def check(self) -> None:
        """Explore the program in both ways, and compare with the claim."""
        found = agree(self.program)
        if self.outcomes is not None:
            assert found.outcomes == self.outcomes
        if self.executions is not None:
            assert found.executions - found.redundant == self.executions


class Claims(list[Claim]):
    """The programs of one test module."""

    def __call__(
        self, executions: int | None, *outcomes: str
    ) -> Callable[[Callable[[Modules], object]], Callable[[Modules], object]]:
        """Add the function below to the programs."""

        def add(program: Callable[[Modules], object]) -> Callable[[Modules], object]:
            self.append(Claim(program, executions, set(outcomes) or None))
            return program

        return add

    def parametrize(self) -> pytest.MarkDecorator:
        """Return the decorator for the test that checks them all."""
        names = [claim.program.__name__ for claim in self]
        return pytest.mark.parametrize("claim", self, ids=names)


@dataclass
class Findings:
    """What an exploration found."""

    executions: int = 0
    redundant: int = 0
    outcomes: set[str] = field(default_factory=set)
    complete: bool = True


def explore(program: Callable[[Modules], object], strategy: Dfs | Dpor, most: int) -> Findings:
    """Explore `program`, at most `most` executions of it."""
    found = Findings()
    trouble: list[str] = []
    kernel = Kernel(strategy)

    def note(task: Task, error: BaseException) -> None:
        if isinstance(error, AssertionError):
            raise error
        trouble.append(f"{task.name}: {type(error).__name__}")

    kernel.on_uncaught = note
    while True:
        result: list[object] = []
        trouble.clear()

        def main(result: list[object] = result) -> None:
            result.append(program(Modules()))
            shut_down()

        ending = kernel.run(main)
        found.executions += 1
        if ending is not Ending.CUT:
            found.outcomes.add(" ".join([ending.value, *map(str, result), *trouble]))
        if not strategy.next_execution():
            break
        if found.executions == most:
            found.complete = False
            break
    found.redundant = getattr(strategy, "redundant", 0)
    return found


def agree(program: Callable[[Modules], object], most: int = 60_000) -> Findings:
    """Explore by DFS and by DPOR; assert that they find the same outcomes; return what DPOR found.

    Where DFS does not end within 10,000 executions, its outcomes must be among DPOR's.
    """
    reduced = explore(program, Dpor(), most)
    assert reduced.complete, f"DPOR needs more than {most} executions"
    plain = explore(program, Dfs(), min(most, 10_000))
    if plain.complete:
        assert reduced.outcomes == plain.outcomes
    else:
        assert plain.outcomes <= reduced.outcomes
    return reduced
