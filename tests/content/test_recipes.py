"""Every recipe has the form of a recipe; every pitfall fails in no other way than it says."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.content import Recipe, load_book
from parallel_cookbook.run import Verdict, run_program
from recipe_form import violations

if TYPE_CHECKING:
    from collections.abc import Iterator

BOOK = load_book()
RECIPES = [pytest.param(recipe, id=recipe.id) for recipe in BOOK.recipes]
PITFALLS = [
    pytest.param(recipe, pitfall, id=f"{recipe.id}::{pitfall}")
    for recipe in BOOK.recipes
    for pitfall in recipe.pitfalls
]
HANG_S = 4.0
"""A pitfall that still runs then counts as hung; the slowest that ends takes about 1 s alone."""
AT_A_TIME = 4
"""How many pitfalls run side by side."""

OUTLINE = {
    1: (
        r"concurren.*parallel",
        r"\bGIL\b",
        r"`?threading`?.*`?multiprocessing`?|in a thread and in a process",
        r"I/O-bound",
        r"CPU-bound",
        r"network|distributed",
    ),
    2: (
        r"Thread class",
        r"[Aa]rguments.*result",
        r"exception",
        r"daemon",
        r"\+=",
        r"\bLock\b.*time-out|time-out.*\bLock\b",
        r"RLock",
        r"deadlock",
        r"Condition",
        r"Event",
        r"BoundedSemaphore",
        r"Queue",
        r"threading\.local",
        r"[Oo]nce",
    ),
    3: (
        r"Process class",
        r"start method",
        r"pickl",
        r"Value.*Array",
        r"get_lock",
        r"Pool",
        r"imap",
        r"chunk",
        r"initiali[sz]er",
        r"BrokenProcessPool",
        r"Ctrl-C",
        r"Manager",
        r"shared_memory|SharedMemory",
        r"exit code",
        r"zombie",
    ),
    4: (
        r"Pipe",
        r"[Ee]nd-of-file|EOFError",
        r"full pipe",
        r"feeder",
        r"[Pp]roducer",
        r"JoinableQueue",
        r"back-pressure",
    ),
    5: (r"\bLock\b", r"RLock", r"Semaphore", r"Event", r"Barrier", r"[Ff]ork"),
}
"""The outline of the book: for each chapter, what a recipe's docstring must name."""


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_has_the_form_of_a_recipe(recipe: Recipe) -> None:
    """The docstring's sections, the size, the imports, main and the pitfalls are as agreed."""
    assert violations(recipe.path) == []


@pytest.mark.parametrize(
    ("chapter", "topic"),
    [(number, topic) for number, topics in OUTLINE.items() for topic in topics],
)
def test_every_topic_of_the_outline_is_named_by_a_recipe(chapter: int, topic: str) -> None:
    """A recipe of the chapter names the topic in its docstring."""
    docstrings = (f"{recipe.title}\n{recipe.prose}" for recipe in BOOK.chapter(chapter).recipes)
    assert any(re.search(topic, docstring) for docstring in docstrings)


def test_the_book_has_as_many_recipes_as_promised() -> None:
    """48 recipes at least, and no chapter that is an empty promise."""
    assert len(BOOK.recipes) >= 48
    assert all(len(chapter.recipes) >= 6 for chapter in BOOK.chapters)


@pytest.mark.parametrize("recipe", RECIPES)
def test_see_also_names_recipes_that_exist(recipe: Recipe) -> None:
    """Each `topic/slug` in a docstring is a recipe of the book."""
    topics = "|".join(chapter.topic for chapter in BOOK.chapters)
    named = set(re.findall(rf"`((?:{topics})/\w+)`", recipe.prose))
    assert named
    assert named <= {other.id for other in BOOK.recipes}


@pytest.mark.parametrize("chapter", BOOK.chapters, ids=lambda chapter: chapter.topic)
def test_a_chapters_readme_lists_exactly_its_recipes(chapter: object) -> None:
    """The README's bullets are the chapter's recipes, in order."""
    (found,) = [c for c in BOOK.chapters if c == chapter]
    listed = re.findall(rf"^[-*] `({found.topic}/\w+)`", found.introduction, flags=re.MULTILINE)
    assert listed == [recipe.id for recipe in found.recipes]
    assert found.title
    assert len(found.summary) > 80


def declared_kind(recipe: Recipe, pitfall: str) -> str:
    for node in ast.parse(recipe.source).body:
        if isinstance(node, ast.FunctionDef) and node.name == pitfall:
            match = re.search(r"^Fails: (\S+)$", ast.get_docstring(node) or "", flags=re.MULTILINE)
            assert match
            return match[1]
    raise AssertionError(f"{recipe.path} has no {pitfall}")


@pytest.fixture(scope="session")
def outcomes(request: pytest.FixtureRequest) -> Iterator[dict[tuple[str, str], Future[str]]]:
    """Start all pitfalls that are to be tested, some at a time: most of them only hang."""
    futures = {}
    with ThreadPoolExecutor(max_workers=AT_A_TIME) as pool:
        for item in request.session.items:
            if isinstance(item, pytest.Function) and "outcomes" in item.fixturenames:
                recipe, pitfall = (item.callspec.params[name] for name in ("recipe", "pitfall"))
                assert isinstance(recipe, Recipe)
                assert isinstance(pitfall, str)
                futures[recipe.id, pitfall] = pool.submit(real_outcome, recipe, pitfall)
        yield futures
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize(("recipe", "pitfall"), PITFALLS)
def test_a_pitfall_run_for_real_fails_only_as_it_says(
    recipe: Recipe, pitfall: str, outcomes: dict[tuple[str, str], Future[str]]
) -> None:
    """Run for real, a pitfall may come off well (a race that did not show), or fail as declared.

    It may not fail in another way: a typing error in a pitfall would else pass for its lesson.
    """
    kind = declared_kind(recipe, pitfall)
    outcome = outcomes[recipe.id, pitfall].result()
    allowed = {"pass", "hang" if kind in {"deadlock", "livelock", "leaked-task"} else kind}
    assert outcome.partition(":")[0] in allowed, outcome


def real_outcome(recipe: Recipe, pitfall: str) -> str:
    """Run the pitfall; return pass, hang, assertion or exception, and why."""
    result = run_program(recipe.path, function=pitfall, timeout_s=HANG_S)
    if result.verdict is Verdict.TIME_OUT:
        return "hang"
    if "AssertionError" in result.stderr:
        return f"assertion: {result.stderr}"
    if "Traceback" in result.stderr or result.exit_code:
        return f"exception: {result.stderr}"
    return "pass"


def test_a_recipe_runs_by_itself() -> None:
    """`python FILE` is all that a copied recipe needs: no package, no folder, no variable."""
    recipe = BOOK.find("threads/lock")
    completed = subprocess.run(
        [sys.executable, "-I", "-S", recipe.path], capture_output=True, text=True, check=False
    )
    assert (completed.returncode, completed.stderr) == (0, "")
