"""`pytest --cookbook-trace`: record what the tests do for real, also in the workers of pytest-xdist.

The recording begins before the tests' modules are imported, in the process that runs them. What pytest and
its plugins have already taken from `threading` stays unrecorded.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from parallel_cookbook.trace import recorder
from parallel_cookbook.trace.launch import clear_folder, note_run
from parallel_cookbook.trace.recorder.tape import tape

if TYPE_CHECKING:
    from collections.abc import Generator

FOLDER = ".cookbook_trace"
_KEY = "cookbook_trace"


class Tracing:
    """The plugin, where it is asked for."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._input: dict[str, Any] | None = getattr(config, "workerinput", None)
        """What a worker of xdist is told by the process that started it; None in that process."""
        if self._input is None:
            self._folder = config.rootpath / FOLDER
            clear_folder(self._folder)
            self._command = ["pytest", *map(str, config.invocation_params.args)]
            note_run(self._folder, self._command)
            recorder.begin(str(self._folder), name="pytest", method="")
        else:
            folder, parent = self._input[_KEY]
            self._folder = Path(folder)
            worker = self._input["workerid"]
            recorder.begin(str(folder), name=f"pytest {worker}", method="xdist", parent=parent)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:  # noqa: ANN401 - xdist may not be there
        """Tell a worker of xdist where to record."""
        node.workerinput[_KEY] = (str(self._folder), tape.stem)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, exitstatus: int) -> Generator[None, object, object]:
        """Note the exit code, which pytest's own process has."""
        result = yield
        if self._input is None:
            note_run(self._folder, self._command, int(exitstatus))
        return result

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say where the recording is."""
        where = os.path.relpath(self._folder)
        terminalreporter.write_sep("-", "recorded")
        terminalreporter.write_line(f"see what the tests did: cookbook trace --from {where}")
