"""Lets each test begin with the signals of a terminal, however the run was started.

A shell starts what it puts in the background with SIGINT ignored, `nohup` with SIGHUP. Children inherit that,
and the commands under test rightly go on ignoring them; so tests of Ctrl-C would fail for no fault.
"""

from __future__ import annotations

import signal
import threading

if threading.current_thread() is threading.main_thread():
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
