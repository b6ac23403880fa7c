"""The table of sites: where in the source each rewritten access stands, and what it is about.

Guarantees: a site is an index; sites are handed out from 0 without gaps, never change and are
never taken back, so that a scheduler may keep plain lists by site. The same sources, rewritten in
the same order by the same version of this package, get the same sites.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal[
    "load_attr",
    "store_attr",
    "delete_attr",
    "call_method",
    "load_item",
    "store_item",
    "delete_item",
    "read_global",
    "write_global",
    "delete_global",
    "bind_global",
    "read_cell",
    "write_cell",
    "delete_cell",
    "call_builtin",
    "contains",
    "operator",
    "inplace",
    "iterate",
    "read_container",
    "loop",
]
"""What is done at a site. `operator`, `inplace`, `contains`, `iterate`, `read_container` and
`call_builtin` are accesses only when an operand proves to be a built-in container."""


@dataclass(frozen=True, slots=True)
class Site:
    """One rewritten access.

    `subject` is its source text on one line ("self.balance", "items[key]", "items.append");
    for a name it is the name, mangled as the compiler mangles it. `column` and `end_column` count
    UTF-8 bytes from 0, as `ast` does. `function` is the qualified name of the enclosing function
    or class, "<module>" at the top.
    """

    file: str
    line: int
    end_line: int
    column: int
    end_column: int
    kind: Kind
    subject: str
    function: str


class SiteTable:
    """The sites of one program, over all its rewritten files."""

    __slots__ = ("_sites", "beginnings")

    def __init__(self) -> None:
        self._sites: list[Site] = []
        self.beginnings: dict[int, str] = {}
        """Where the sites of a file begin, which may be rewritten more than once, and of which file."""

    def begin(self, file: str) -> None:
        """Say that the sites that follow are those of `file`, which is rewritten from its beginning."""
        self.beginnings[len(self._sites)] = file

    def add(self, site: Site) -> int:
        """Append `site` and return its number, the count of sites before it."""
        self._sites.append(site)
        return len(self._sites) - 1

    def __getitem__(self, number: int) -> Site:
        """Return the site of that number; IndexError when none was handed out."""
        if number < 0:
            raise IndexError(f"site {number}: a site's number is never negative")
        return self._sites[number]

    def __len__(self) -> int:
        return len(self._sites)

    def __iter__(self) -> Iterator[Site]:
        return iter(self._sites)
