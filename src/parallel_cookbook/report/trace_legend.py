"""What the words in a trace's tables mean that do not say it themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

_MEANINGS = {
    "no CPU": "it could run, but others had the processors",
    "idle": "it had no work",
    "other": "it waited outside of Python: for a file, a socket, a program",
    "is woken": "its wait has ended, and it does not run yet",
}


def legend(shown: Collection[str]) -> str:
    """Return what the words mean that need it. shown: the words in the tables."""
    meanings = (f"{word}: {meaning}" for word, meaning in _MEANINGS.items() if word in shown)
    return "; ".join(("· is none at all", *meanings)) + "."
