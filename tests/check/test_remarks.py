"""What a report remarks: blocks of shared memory that stay, changes to copies that are lost."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.check import Budget, CheckReport, Entry, check_entry

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """\
from multiprocessing import Manager, Process
from multiprocessing.shared_memory import ShareableList, SharedMemory

"""


def check(folder: Path, main: str, *, faults: int = 0) -> CheckReport:
    """Check a program that is the body of its main."""
    file = folder / "program.py"
    body = textwrap.indent(textwrap.dedent(main).strip(), "    ")
    file.write_text(f'{HEAD}\ndef work(x):\n    x.close()\n\nif __name__ == "__main__":\n{body}\n')
    budget = Budget(1000, 60)
    return check_entry(Entry(file), target="", strategy="dpor", budget=budget, faults=faults)


def remarked(report: CheckReport, folder: Path) -> list[tuple[str, str]]:
    """Return the kinds of the remarks, each with the source line."""
    lines = (folder / "program.py").read_text().splitlines()
    numbers = [(remark.kind, int(remark.location.rpartition(":")[2])) for remark in report.remarks]
    return [(kind, lines[number - 1].strip()) for kind, number in numbers]


LEAKS = [
    "x = SharedMemory(create=True, size=8)",
    "x = ShareableList([1, 2])",
    "x = SharedMemory('mine', create=True, size=8); x.close()",
    "x = [SharedMemory(create=True, size=8) for _ in range(2)]",
]


@pytest.mark.parametrize("line", LEAKS)
def test_a_block_that_is_never_unlinked_is_remarked(tmp_path: Path, line: str) -> None:
    """With the line that has made it, once; the verdict is that of the program."""
    report = check(tmp_path, line)
    assert report.verdict == "pass"
    assert remarked(report, tmp_path) == [("leaked-memory", line)]


def test_a_block_that_only_some_interleavings_leak_is_remarked(tmp_path: Path) -> None:
    """Here whoever comes second unlinks it, or nobody: a program of two processes."""
    line = "x = SharedMemory('mine', create=True, size=8)"
    report = check(
        tmp_path,
        f"""
        {line}
        process = Process(target=work, args=(x,))
        process.start()
        if not process.is_alive():
            x.unlink()
        """,
    )
    assert remarked(report, tmp_path) == [("leaked-memory", line)]


@pytest.mark.parametrize(
    "main",
    [
        "x = SharedMemory(create=True, size=8)\nx.close()\nx.unlink()",
        "x = ShareableList([1])\nx.shm.unlink()",
        "x = SharedMemory('a', create=True, size=8)\ny = SharedMemory('a')\ny.unlink()",
    ],
)
def test_a_block_that_is_unlinked_is_not(tmp_path: Path, main: str) -> None:
    """Whoever does it."""
    assert not check(tmp_path, main).remarks


def test_a_program_that_fails_leaks_for_another_reason(tmp_path: Path) -> None:
    """Of what an exception has cut off nothing is remarked; nor of what a fault has killed."""
    main = "x = SharedMemory(create=True, size=8)\nassert not x"
    assert not check(tmp_path, main).remarks
    main = """
        x = SharedMemory(create=True, size=8)
        process = Process(target=work, args=(x,))
        process.start()
        process.join()
        if process.exitcode == 0:
            x.unlink()
        """
    assert not check(tmp_path, main, faults=1).remarks


MANAGED = """
with Manager() as manager:
    shared = manager.dict(n=[], d={{}}, s=set())
    items = manager.list([[3, 1]])
    space = manager.Namespace(n=[])
    {}
"""


@pytest.mark.parametrize(
    ("change", "line", "kind"),
    [
        ("shared['n'].append(1)", "shared['n'].append(1)", "list"),
        ("shared['d']['k'] = 1", "shared['d']['k'] = 1", "dict"),
        ("shared['s'].add(1)", "shared['s'].add(1)", "set"),
        ("shared.get('n').append(1)", "shared.get('n').append(1)", "list"),
        ("shared.setdefault('m', []).append(1)", "shared.setdefault('m', []).append(1)", "list"),
        ("items[0].sort()", "items[0].sort()", "list"),
        ("del items[0][1]", "del items[0][1]", "list"),
        ("space.n.append(1)", "space.n.append(1)", "list"),
        ("space.n.append(object)", "space.n.append(object)", "list"),
        ("copy = shared['n']\n    copy += [1]", "copy += [1]", "list"),
        ("copy = shared['n']\n    copy.append(1)\n    print(copy)", "copy.append(1)", "list"),
        ("shared['n'].append(1)\n    shared['n'] = shared['n']", "shared['n'].append(1)", "list"),
    ],
)
def test_a_change_to_a_copy_is_remarked(tmp_path: Path, change: str, line: str, kind: str) -> None:
    """With the line that makes it, which may be another one than where the copy was got."""
    report = check(tmp_path, MANAGED.format(change))
    assert report.verdict == "pass", report
    assert remarked(report, tmp_path) == [("lost-change", line)]
    assert f"the changed {kind}" in report.remarks[0].message


@pytest.mark.parametrize(
    "use",
    [
        "print(shared['n'])",
        "copy = shared['n']\n    copy.append(1)\n    shared['n'] = copy",
        "shared['n'] += [1]",
        "copy = shared['n']\n    copy.append(1)\n    shared.update(n=copy)",
        "copy = shared['n']\n    copy.append(1)\n    shared.update({'n': copy})",
        "shared['n'] = manager.list()\n    shared['n'].append(1)",
        "copy = shared.copy()\n    copy['n'].append(1)",
        "copy = items[:]\n    copy.append(1)",
        "shared['n'] = [*shared['n'], 1]",
        "copy = shared['n']\n    copy.append(1)\n    shared['n'] = manager.list(copy)",
    ],
)
def test_what_is_put_back_or_wanted_as_a_copy_is_not(tmp_path: Path, use: str) -> None:
    """A copy may be changed by who hands it over again, or has asked for a copy."""
    report = check(tmp_path, MANAGED.format(use))
    assert report.verdict == "pass", report
    assert not report.remarks
