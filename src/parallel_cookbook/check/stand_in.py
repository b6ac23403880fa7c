"""Functions that stand for methods of the program's objects.

In a file of its own because it is never compiled: compiled functions carry no attributes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# Whatever the program calls its methods with is passed on.
# ruff: noqa: ANN401


def stand_in(
    name: str,
    method: Callable[..., Any],
    announced: Callable[[tuple[Any, ...], dict[str, Any]], Any],
) -> Callable[..., Any]:
    """Return a function that passes its arguments to `announced`, called `name` as `method` is.

    Its attribute `stands_for` is the method, for who pickles it.
    """

    def standing_in(*args: Any, **kwargs: Any) -> Any:
        return announced(args, kwargs)

    standing_in.__name__ = standing_in.__qualname__ = name
    standing_in.stands_for = method  # type: ignore[attr-defined]
    return standing_in
