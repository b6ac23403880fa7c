"""What counts as a change of what an exercise keeps, and what does not."""

from __future__ import annotations

import pytest

from parallel_cookbook.practice.kept_parts import changes_of_kept_parts

EXERCISE = '''
"""An exercise."""
from threading import Thread

limit = 3


class Box:
    """A box."""

    def get(self):
        return 1

    def put(self):
        return 2


def work(box):
    return box.get()


def main():
    assert sorted([work(Box())]) == [1]
    Thread(target=work)


if __name__ == "__main__":
    main()
'''
MAY_CHANGE = frozenset({"work", "Box.get"})


def changed(old: str, new: str, may_change: frozenset[str] = MAY_CHANGE) -> list[str]:
    assert EXERCISE.count(old) == 1
    found = changes_of_kept_parts(EXERCISE, EXERCISE.replace(old, new), may_change)
    return [sentence for _, sentence in found]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return 1", "return 3"),
        ("return box.get()", "import time; return 7"),
        ('"""A box."""', '"""A better box."""'),
        ("limit = 3", "limit = 3  # at most"),
        ("limit = 3", "limit = 3\nlock = 4\n\ndef helper(): return lock"),
        ("import Thread", "import Lock, Thread"),
        ("limit = 3", "limit = (3)"),
    ],
)
def test_what_is_free_is_no_change(old: str, new: str) -> None:
    """Free parts, comments, docstrings, layout and new names do not count."""
    assert changed(old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("return 2", "return 3", "`Box` was changed"),
        ("== [1]", "== [2]", "`main` was changed"),
        ("    main()\n", "    print()\n", "the lines that are executed"),
        ("limit = 3", "limit = 4", "`limit` was changed"),
        ("from threading import", "from _thread import", "`Thread` is no longer imported"),
        ("limit = 3", "limit = 3\ndef sorted(x): return [1]", "`sorted` replaces"),
        ("limit = 3", "limit = 3\nThread = print", "`Thread` is bound twice"),
        ("limit = 3", "limit = 3\nprint(limit)", "the lines that are executed"),
        ("return box.get()", "global main; main = print", "`global main` reaches for it"),
    ],
)
def test_what_is_kept_may_not_change(old: str, new: str, what: str) -> None:
    """Each way to move the goal posts is named."""
    assert any(what in fault for fault in changed(old, new))


def test_the_lines_that_are_executed_may_be_free() -> None:
    """Under the name `__main__` an exercise sets them free, and nothing else."""
    free = frozenset({"__main__"})
    assert changed("    main()\n", "    pass\n", free) == []
    assert changed("return 1", "return 2", free) == ["`Box` was changed"]
