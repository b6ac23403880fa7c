"""Drive a headless Chromium through its debugging pipe: no port, no other program, no library."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # CI runs as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-features=Translate,OptimizationHints,MediaRouter",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # nothing leaves this machine
    "--remote-debugging-pipe",
)


def find_browser() -> str | None:
    """Return the browser's path, if there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """A browser process; a context manager that leaves nothing behind."""

    def __init__(self, executable: str) -> None:
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()
        # The browser reads commands from descriptor 3 and writes answers to 4; ours must not be these two.
        far = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 10) for one in (to_read, to_write)]
        actions: list[tuple[object, ...]] = [
            (os.POSIX_SPAWN_DUP2, far[0], 3),
            (os.POSIX_SPAWN_DUP2, far[1], 4),
            *((os.POSIX_SPAWN_OPEN, one, os.devnull, os.O_RDWR, 0) for one in (0, 1, 2)),
        ]
        command = [executable, *OPTIONS, f"--user-data-dir={self._profile.name}"]
        self._pid = os.posix_spawn(executable, command, os.environ, file_actions=actions)
        for one in (to_read, to_write, *far):
            os.close(one)
        self._number = 0
        self._rest = b""
        self._answers: dict[int, dict[str, Any]] = {}
        self.pages: dict[str, Page] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.call("Browser.close")
            while True:
                self._receive()
        except (RuntimeError, OSError):
            pass  # it has closed the pipe
        os.waitpid(self._pid, 0)
        os.close(self._to)
        os.close(self._from)
        self._profile.cleanup()

    def call(self, method: str, session: str = "", **arguments: object) -> dict[str, Any]:
        """Send a command and return its result; raise RuntimeError if the browser refuses it."""
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": arguments}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._to, data) :]
        while number not in self._answers:
            self._receive()
        answer = self._answers.pop(number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def _receive(self) -> None:
        data = os.read(self._from, 1 << 16)
        if not data:
            raise RuntimeError("the browser has ended")
        *messages, self._rest = (self._rest + data).split(b"\0")
        for text in messages:
            message = json.loads(text)
            if "id" in message:
                self._answers[message["id"]] = message
            elif message.get("sessionId") in self.pages:
                self.pages[message["sessionId"]].note(message["method"], message["params"])

    def open(
        self,
        url: str,
        *,
        width: int = 1280,
        height: int = 800,
        dark: bool = False,
        script: bool = True,
    ) -> Page:
        """Return a page, loaded."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session, target)
        self.pages[session] = page
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        page.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        page.scheme("dark" if dark else "light")
        if not script:
            page.call("Emulation.setScriptExecutionDisabled", value=True)
        page.call("Page.navigate", url=url)
        while not page.is_loaded:
            self._receive()
        return page


@dataclass
class Page:
    """A page of the browser."""

    browser: Browser
    session: str
    target: str
    complaints: list[str] = field(default_factory=list)
    """What the console showed as errors or warnings: exceptions, refused scripts, failed requests."""
    requests: list[str] = field(default_factory=list)
    is_loaded: bool = False

    def note(self, event: str, given: dict[str, Any]) -> None:
        """Keep what an event of the browser tells."""
        if event == "Page.loadEventFired":
            self.is_loaded = True
        elif event == "Runtime.exceptionThrown":
            details = given["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description", details["text"]))
        elif event == "Runtime.consoleAPICalled" and given["type"] in {
            "error",
            "warning",
            "assert",
        }:
            self.complaints.append(str(given["args"]))
        elif event == "Log.entryAdded" and given["entry"]["level"] in {"error", "warning"}:
            self.complaints.append(given["entry"]["text"])
        elif event == "Network.requestWillBeSent":
            self.requests.append(given["request"]["url"])

    def call(self, method: str, **arguments: object) -> dict[str, Any]:
        """Send a command for this page."""
        return self.browser.call(method, self.session, **arguments)

    def scheme(self, name: str) -> None:
        """Prefer light or dark."""
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def run(self, expression: str) -> Any:  # noqa: ANN401 - whatever the script returns
        """Return the value of a script's expression; promises are awaited."""
        result = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in result:
            raise RuntimeError(str(result["exceptionDetails"].get("exception", result)))
        return result["result"].get("value")

    def frame(self) -> None:
        """Wait until the browser has painted."""
        self.run("new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))")

    def press(self, *keys: str) -> None:
        """Press and release keys, as the browser would see them from a keyboard."""
        for key in keys:
            text = {"text": key} if len(key) == 1 else {}
            code = {"Enter": 13, "Escape": 27}.get(key, 0)
            if key == "Enter":
                text = {"text": "\r"}
            for kind in ("keyDown", "keyUp"):
                extra = text if kind == "keyDown" else {}
                self.call(
                    "Input.dispatchKeyEvent",
                    type=kind,
                    key=key,
                    windowsVirtualKeyCode=code,
                    **extra,
                )
        self.frame()

    def mouse(self, kind: str, x: float, y: float, **more: object) -> None:
        """Send one event of the mouse: mousePressed, mouseMoved, mouseReleased, mouseWheel."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, x: float, y: float) -> None:
        """Click with the left button."""
        self.mouse("mousePressed", x, y, button="left", buttons=1, clickCount=1)
        self.mouse("mouseReleased", x, y, button="left", clickCount=1)
        self.frame()

    def drag(
        self, start: tuple[float, float], end: tuple[float, float], modifiers: int = 0
    ) -> None:
        """Drag with the left button; modifiers: 8 is shift."""
        x0, y0 = start
        x1, y1 = end
        self.mouse(
            "mousePressed", x0, y0, button="left", buttons=1, clickCount=1, modifiers=modifiers
        )
        for share in (0.3, 0.7, 1):
            x, y = x0 + (x1 - x0) * share, y0 + (y1 - y0) * share
            self.mouse("mouseMoved", x, y, button="left", buttons=1, modifiers=modifiers)
        self.mouse("mouseReleased", x1, y1, button="left", clickCount=1, modifiers=modifiers)
        self.frame()

    def type(self, text: str) -> None:
        """Type a text into what has the focus."""
        self.call("Input.insertText", text=text)
        self.frame()

    def screenshot(self, file: Path) -> bytes:
        """Write what the window shows, as PNG, and return it."""
        data = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        file.write_bytes(data)
        return data

    def pdf(self, file: Path, *, landscape: bool = True) -> bytes:
        """Print the page into a file, and return it."""
        data = self.call("Page.printToPDF", landscape=landscape, preferCSSPageSize=False)["data"]
        file.write_bytes(base64.b64decode(data))
        return file.read_bytes()

    def close(self) -> None:
        """Close the page."""
        self.browser.pages.pop(self.session, None)
        self.browser.call("Target.closeTarget", targetId=self.target)


def artefacts(fallback: Path) -> Path:
    """Return where screenshots are kept: the folder of COOKBOOK_ARTEFACTS, or a temporary one."""
    folder = Path(os.environ.get("COOKBOOK_ARTEFACTS") or fallback)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def pages_of(pdf: bytes) -> int:
    """Return how many pages a PDF file has."""
    return len(re.findall(rb"/Type\s*/Page\b", pdf))
