"""Turns source into code with scheduling points, and changes nothing else in its meaning.

`rewrite` compiles a file, `rewrite_in_two` in two parts; `Hooks` is what its code calls; `SiteTable` says
where each call stands.
"""

from parallel_cookbook.instrument.hooks import Hooks, builtins_with, entries
from parallel_cookbook.instrument.null import null_hooks
from parallel_cookbook.instrument.operands import CONTAINER_TYPES
from parallel_cookbook.instrument.recording import Access, recording_hooks
from parallel_cookbook.instrument.rewrite import rewrite, rewrite_in_two
from parallel_cookbook.instrument.sites import Kind, Site, SiteTable
from parallel_cookbook.instrument.tracebacks import file_of, strip_hook_frames

__all__ = [
    "CONTAINER_TYPES",
    "Access",
    "Hooks",
    "Kind",
    "Site",
    "SiteTable",
    "builtins_with",
    "entries",
    "file_of",
    "null_hooks",
    "recording_hooks",
    "rewrite",
    "rewrite_in_two",
    "strip_hook_frames",
]
