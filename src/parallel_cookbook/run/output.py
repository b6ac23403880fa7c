"""The output of a program while it runs: read from its two pipes, counted, decoded, passed on."""

from __future__ import annotations

import codecs
import contextlib
import os
import selectors
import time
from typing import IO, TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

Stream = Literal["stdout", "stderr"]

_CHUNK_BYTES = 65536
_TICK_S = 0.02
"""How often to look whether the program has ended, where the system cannot tell us."""
_LONGEST_WAIT_S = 3600.0
"""The system's calls refuse to wait for some weeks; nobody minds a look each hour."""


class Output:
    """The two output pipes of a process, both decoded as UTF-8.

    max_bytes: what may come through both together; `is_flooded` says that it was more.
    on_output: called with each piece as it arrives.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        max_bytes: int,
        on_output: Callable[[Stream, str], None],
    ) -> None:
        self._process = process
        self.max_bytes = self._bytes_left = max_bytes
        self._on_output = on_output
        self._selector = selectors.DefaultSelector()
        self._pieces: dict[Stream, list[str]] = {"stdout": [], "stderr": []}
        self._held: list[tuple[Stream, str]] = []
        new_decoder = codecs.getincrementaldecoder("utf-8")
        self._decoders = {name: new_decoder("replace") for name in self._pieces}
        assert process.stdout is not None  # noqa: S101 - both are pipes by construction
        assert process.stderr is not None  # noqa: S101
        self._pipes: dict[Stream, IO[bytes]] = {"stdout": process.stdout, "stderr": process.stderr}
        for name, pipe in self._pipes.items():
            os.set_blocking(pipe.fileno(), False)
            self._selector.register(pipe, selectors.EVENT_READ, name)
        self._exit_fd = _exit_descriptor(process.pid)
        if self._exit_fd is not None:
            self._selector.register(self._exit_fd, selectors.EVENT_READ)

    @property
    def is_flooded(self) -> bool:
        """Whether more has come than may."""
        return self._bytes_left < 0

    def text(self, name: Stream) -> str:
        """Return all that came through one pipe."""
        return "".join(self._pieces[name])

    def pump(self, patience: Callable[[], float | None]) -> bool:
        """Pass output on until the process ends or floods; say whether it did, or its time is up.

        patience: the seconds that are left to it, asked again and again; None: as long as it takes.

        The end of the process counts, not the end of its output: a child that it left behind may
        hold the pipes open for ever.
        """
        while self._process.poll() is None and not self.is_flooded:
            left_s = patience()
            if left_s is not None and left_s <= 0:
                return False
            tick_s = _TICK_S if self._exit_fd is None else _LONGEST_WAIT_S
            self._read_for(tick_s if left_s is None else min(tick_s, left_s))
            self.pass_on()
        self._forget_exit()
        self._read_all()
        self.pass_on()
        return True

    def pump_for(self, seconds: float) -> None:
        """Pass on what arrives within this time."""
        self.hold_for(seconds)
        self.pass_on()

    def hold_for(self, seconds: float) -> None:
        """Read what arrives within this time, and keep it until `pass_on`."""
        self._process.poll()  # a dead leader that nobody has asked for keeps its group in being
        self._forget_exit()
        until = time.monotonic() + seconds
        while (left_s := until - time.monotonic()) > 0:
            if self.is_flooded:
                time.sleep(left_s)
            else:
                self._read_for(left_s)

    def close(self) -> None:
        """Read what is there to the end, and no more. Calls nobody: `pass_on` does."""
        try:
            self._read_all()
            for name, decoder in self._decoders.items():
                self._take(name, decoder.decode(b"", final=True))
        finally:
            self._forget_exit()
            self._selector.close()

    def pass_on(self) -> None:
        """Call `on_output` with what was read since the last time."""
        while self._held:
            self._on_output(*self._held.pop(0))

    def _read_for(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            if key.fd != self._exit_fd:
                self._read(key.data)

    def _read_all(self) -> None:
        for name in self._pieces:
            while not self.is_flooded and self._read(name):
                pass

    def _read(self, name: Stream) -> bool:
        """Read what is there; say whether there was anything."""
        pipe = self._pipes[name]
        try:
            data = os.read(pipe.fileno(), _CHUNK_BYTES)
        except BlockingIOError:
            return False
        if not data:
            with contextlib.suppress(KeyError):
                self._selector.unregister(pipe)
            return False
        self._bytes_left -= len(data)
        self._take(name, self._decoders[name].decode(data))
        return True

    def _take(self, name: Stream, text: str) -> None:
        if text:
            self._pieces[name].append(text)
            self._held.append((name, text))

    def _forget_exit(self) -> None:
        # Once the process has ended, its descriptor is ready for ever, and no wait would wait.
        if self._exit_fd is not None:
            self._selector.unregister(self._exit_fd)
            os.close(self._exit_fd)
            self._exit_fd = None


def _exit_descriptor(pid: int) -> int | None:
    """Return a descriptor that becomes readable when `pid` ends, on a system that has such."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None
