"""The hooks of the check for names: globals, closure cells; and for the turns of loops."""

from __future__ import annotations

import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from mypy_extensions import mypyc_attr

from parallel_cookbook.check.cycles import Cycles
from parallel_cookbook.check.insides import Insides
from parallel_cookbook.check.polling import Polls

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from parallel_cookbook.check.memory import Memory, Place
    from parallel_cookbook.kernel import Kernel

# Hooks handle objects of the program under test, of which nothing is known.
# ruff: noqa: ANN401, D102


@mypyc_attr(allow_interpreted_subclasses=True)
class NameHooks:
    """What every hook needs, the names of modules and functions, and the turns of loops."""

    def __init__(self, kernel: Kernel, memory: Memory, max_ticks: int) -> None:
        self._kernel = kernel
        self._memory = memory
        self._max_ticks = max_ticks
        self.ticks = 0
        """Turns of loops in the present execution."""
        self._polls = Polls(kernel)
        self.cycles = Cycles(kernel, memory)
        self.on_endless_loop: Callable[[int], None] = lambda _site: None
        self.has_new_places = False
        """Whether an execution has shown a place that earlier ones, and it itself, overlooked."""
        self._insides = Insides(kernel, memory)
        self._insides.key_of_global = self._key_of_global
        self._insides.on_module_store = self._note_module_store
        self._places = memory.places
        self.module_names: dict[str, str] = {}
        """For each rewritten file, the name of its module; set by who loads the program."""
        self.on_module_store: Callable[[str, str], None] = lambda _file, _name: None
        self.on_late_binding: Callable[[int], None] = lambda _site: None
        self._for_loops: set[int] = set()
        """The sites of loops that are no `while` loops."""

    def cut_loops(self) -> None:
        """Let the next turn of a loop be one too many."""
        self._max_ticks = 0

    def begin_execution(self) -> None:
        """Forget what concerned the last execution alone."""
        self.ticks = 0
        self._insides.begin_execution()
        self._polls.begin_execution()
        self.cycles.begin_execution()

    # --- attributes -----------------------------------------------------------------------------

    # --- names ----------------------------------------------------------------------------------

    def read_global(self, site: int, /) -> None:
        if not self._kernel.is_alone:
            places = self._kernel.running.group.places
            self._memory.read(places.get(site) or self._global(site), site)

    def write_global(self, site: int, value: Any, /) -> Any:
        if not self._kernel.is_alone:
            places = self._kernel.running.group.places
            self._memory.write(places.get(site) or self._global(site), site)
        return value

    def _global(self, site: int) -> Place:
        """Return the place of the global at `site`, which was not asked for yet in this process."""
        found = self._memory.sites[site]
        module = self.module_names.get(found.file, found.file)
        place = self._memory.place(self._key_of_global(module, found.subject), None)
        self._kernel.running.group.places[site] = place
        return place

    def _key_of_global(self, module: str, name: str) -> tuple[object, ...]:
        if module == "__mp_main__":
            module = "__main__"  # as a child process calls it
        return ("global", self._kernel.running.group.uid, module, name)

    def bind_global(self, site: int, value: Any, /) -> Any:
        if not self._kernel.running.group.is_alone:
            self.on_late_binding(site)
        return value

    def new_scope(self) -> Any:
        return _Scope()

    def read_cell(self, site: int, scope: Any, /) -> None:
        if not self._kernel.is_alone:
            memory = self._memory
            name = memory.sites[site].subject
            memory.read(memory.place((id(scope), name), scope), site)

    def write_cell(self, site: int, scope: Any, value: Any, /) -> Any:
        if not self._kernel.is_alone:
            memory = self._memory
            name = memory.sites[site].subject
            memory.write(memory.place((id(scope), name), scope), site)
        return value

    def tick(self, site: int, /) -> None:
        self.ticks += 1
        if self.ticks > self._max_ticks:
            self.on_endless_loop(site)
        if site in self._for_loops or len(self._kernel.tasks) == 1:
            return
        loop = self._memory.sites[site].subject
        if loop == "for":
            self._for_loops.add(site)
            return
        frame = sys._getframe(_DEPTH)  # noqa: SLF001 - the program's own
        self.cycles.turn(site, frame)
        if loop == "while":
            self._polls.turn(site, frame)

    def _note_module_store(self, module: ModuleType, name: str) -> None:
        """Let loads of the variable by its name be accesses, too, if the module is the program's."""
        file = getattr(module, "__file__", None)
        if file in self.module_names:
            self.on_module_store(file, name)


_DEPTH: Final = int(isinstance(vars(NameHooks)["tick"], FunctionType))
"""How many frames lie above the program's in a hook: its own, and none where it is compiled."""


class _Scope:
    """One activation of a function that owns cells."""

    __slots__ = ()
