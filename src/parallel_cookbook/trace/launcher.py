"""Start a program as Python would, with a recorder inside.

A script of its own, run in a fresh interpreter:
`python launcher.py FOLDER METHOD KIND NAME FUNCTION [ARGUMENT …]`, where KIND is `file` or `module`, an empty
METHOD leaves Python's own start method, and an empty FUNCTION runs the file. It leaves no trace of its own
in what the program sees: `sys.argv`, `sys.path[0]`, the module `__main__`, a traceback's beginning.
"""

import sys

if not sys.flags.safe_path:
    del sys.path[0]  # our own folder

from parallel_cookbook.trace import recorder
from parallel_cookbook.trace.recorder import processes, running

if __name__ == "__main__":
    folder, method, kind, name, function, *arguments = sys.argv[1:]
    processes.set_default_start_method(method)
    recorder.begin(folder, name="main", method="")
    running.execute(kind, name, function, arguments)
