"""The errors that the project raises on purpose: one tree, each with the exit code of its kind.

A message says what is wrong, shows the value that is wrong, and says what to do next.
"""


class CookbookError(Exception):
    """Any error that the commands report in one sentence, without a traceback."""

    exit_code = 2


class UsageError(CookbookError):
    """The reader asked for something that is not there or does not fit together."""


class ReplayMismatchError(CookbookError):
    """The program did something else than it did before with the same choices."""


class UnsupportedError(CookbookError):
    """This machine or interpreter cannot do what was asked."""
