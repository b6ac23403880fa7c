"""Something that went wrong in one execution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from parallel_cookbook.check.result import FailureKind


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that went wrong in one execution."""

    kind: FailureKind
    message: str
    task: str
    location: str
    is_repeatable: bool = True
    """Whether it can be shown again; to wait for what never comes would take as long once more."""
