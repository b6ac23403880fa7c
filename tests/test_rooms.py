"""The borders between the rooms: which part of the package may import which."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import parallel_cookbook

PACKAGE = Path(parallel_cookbook.__file__).parent
MAY_IMPORT: dict[str, set[str]] = {
    "__init__": {"check", "library"},
    "__main__": {"cli"},
    "errors": set(),
    "events": set(),
    "content": {"errors"},
    "targets": {"errors", "content"},
    "doctor": set(),
    "run": {"errors"},
    "kernel": {"errors"},
    "instrument": set(),
    "simulation": {"errors", "kernel"},
    "strategies": {"errors", "kernel"},
    "check": {"errors", "events", "kernel", "instrument", "simulation", "strategies"},
    "timeline": set(),
    "trace": {"errors", "events", "timeline", "targets", "run"},
    "practice": {"errors", "events", "content", "run", "check", "kernel", "strategies"},
    "report": {"content", "run", "events", "check", "timeline", "trace", "practice"},
    "cli": {
        "errors",
        "content",
        "targets",
        "doctor",
        "run",
        "check",
        "trace",
        "practice",
        "timeline",
        "report",
    },
    "library": {"errors", "events", "kernel", "check", "report"},
    "pytest_plugin": {"errors", "events", "check", "library", "report", "trace"},
}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides its room"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    rooms = {name.split(".")[1] for name in names if name.startswith("parallel_cookbook.")}
    return rooms - {room_of(path)}


BOOK = {"recipes", "exercises", "solutions", "wrong"}
"""Folders that stand inside of an installed package, and are no part of the program."""
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if not BOOK & set(path.parts))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_where_it_may(path: Path) -> None:
    """A file imports no room that the table above does not grant to its own."""
    assert room_of(path) in MAY_IMPORT, "a new room: say here what it may import"
    assert imported_rooms(path) <= MAY_IMPORT[room_of(path)]


def test_every_room_of_the_table_exists() -> None:
    """The table names no room that is gone."""
    assert {room_of(path) for path in SOURCES} == set(MAY_IMPORT)
