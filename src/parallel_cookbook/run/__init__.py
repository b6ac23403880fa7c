"""The verb `run`: start a program as its reader would, watch it, and leave nothing of it behind."""

from parallel_cookbook.run.result import RunResult, Verdict
from parallel_cookbook.run.runner import RunInterrupted, run_program

__all__ = ["RunInterrupted", "RunResult", "Verdict", "run_program"]
