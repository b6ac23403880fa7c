"""The command `cookbook`: a thin shell around the verbs. Imported by nobody.

This file is the way in and imports next to nothing, so that Ctrl-C is dealt with from the start;
`command_line.py` holds the command itself.
"""

from __future__ import annotations

import signal


def main() -> None:
    """Run the command line and exit."""
    # A tenth of a second goes into imports, and a KeyboardInterrupt there would show our code.
    heeded = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heeded:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from parallel_cookbook.cli.command_line import run_command_line

    run_command_line(heed_interrupts=heeded)
