"""Runs a program with recording hooks and without, and compares what it did."""

from __future__ import annotations

import builtins
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from parallel_cookbook.instrument import Access, SiteTable, recording_hooks, rewrite

if TYPE_CHECKING:
    from collections.abc import Callable


def run(source: str, setup: str = "", also_track: tuple[str, ...] = ()) -> tuple[Any, list[Access]]:
    """Return the globals that `source` leaves and its accesses; `setup` is not rewritten."""
    sites = SiteTable()
    log: list[Access] = []
    code = rewrite(source, "<program>", sites, also_track=also_track)
    hooks = recording_hooks(sites, log)
    names: dict[str, Any] = {
        "__name__": "program",
        "__builtins__": {**vars(builtins), **hooks},
    }
    exec(compile(setup, "<setup>", "exec", dont_inherit=True), names)  # noqa: S102 - a program
    exec(code, names)  # noqa: S102 - a program
    return names, log


def shown(names: dict[str, Any]) -> dict[str, str]:
    """Return what can be compared between two runs: names, and values without addresses."""
    return {
        name: repr(value).split(" at 0x")[0]
        for name, value in names.items()
        if name != "__builtins__"
    }


@pytest.fixture
def accesses() -> Callable[..., list[str]]:
    """Return a function that runs a program and lists its accesses as "line kind subject".

    It asserts that the program leaves the globals that it leaves unrewritten. Bindings of names
    that are bound once are left out, unless `bindings` is true.
    """

    def observe(
        source: str,
        setup: str = "",
        *,
        also_track: tuple[str, ...] = (),
        bindings: bool = False,
    ) -> list[str]:
        source, setup = textwrap.dedent(source).strip("\n"), textwrap.dedent(setup)
        plain: dict[str, Any] = {"__name__": "program"}
        exec(compile(setup, "<setup>", "exec", dont_inherit=True), plain)  # noqa: S102 - a program
        exec(compile(source, "<program>", "exec", dont_inherit=True), plain)  # noqa: S102 - same
        names, log = run(source, setup, also_track)
        assert shown(names) == shown(plain)
        sites = SiteTable()
        rewrite(source, "<program>", sites, also_track=also_track)
        return [
            f"{sites[access.site].line} {access.kind} {access.subject}"
            for access in log
            if bindings or access.kind != "bind_global"
        ]

    return observe
