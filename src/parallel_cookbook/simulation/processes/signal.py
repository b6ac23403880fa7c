"""`signal` for a program under check: constants, and whether a process ignores SIGTERM."""

from __future__ import annotations

import signal as _real
from typing import Any

from parallel_cookbook.kernel import active_kernel
from parallel_cookbook.simulation.processes.world import own_state
from parallel_cookbook.simulation.refused import refusal, refuse

# Handlers and whatever else `signal` has.
# ruff: noqa: ANN401


def signal(signalnum: int, handler: Any) -> Any:
    """Let the running process die of SIGTERM, or ignore it; anything else is refused."""
    state = own_state(active_kernel())
    if (
        state.popen is None
        or signalnum != _real.SIGTERM
        or handler not in {_real.SIG_DFL, _real.SIG_IGN}
    ):
        refuse("signal.signal")
    before = _real.SIG_IGN if state.popen.ignores_sigterm else _real.SIG_DFL
    state.popen.ignores_sigterm = handler == _real.SIG_IGN
    return before


def __getattr__(name: str) -> Any:
    """Take constants from the real module, and refuse its functions when they are called."""
    return refusal(f"signal.{name}", getattr(_real, name))
