"""The controlled scheduler: tasks, operations, scheduling points, one execution at a time.

It knows no name of the standard library: `simulation` builds locks and threads out of targets and
operations, and `strategies` says who runs next.
"""

from parallel_cookbook.kernel.operation import Mode, Operation, Target
from parallel_cookbook.kernel.scheduler import Chooser, Ending, Kernel, active_kernel
from parallel_cookbook.kernel.task import Group, Killed, Task

__all__ = [
    "Chooser",
    "Ending",
    "Group",
    "Kernel",
    "Killed",
    "Mode",
    "Operation",
    "Target",
    "Task",
    "active_kernel",
]
