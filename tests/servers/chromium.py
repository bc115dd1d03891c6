"""A headless Chromium, driven by its DevTools protocol: what a page looks like, asks for and complains about."""

from __future__ import annotations

import base64
import json
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from websocket import WebSocket, create_connection

from servers import binary, until

PHONE = (360, 740)
_WITHIN = 60.0
_QUIETLY = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update"
    " --disable-sync --disable-extensions --disable-dev-shm-usage --hide-scrollbars --remote-debugging-port=0"
).split()


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A page after it was loaded. `requests` are the URLs it asked for beside its own, `complaints` what the console says.

    `width` is how wide its content is, `wide` names what sticks out of the window, `text` is what can be read.
    """

    requests: tuple[str, ...]
    complaints: tuple[str, ...]
    width: int
    wide: tuple[str, ...]
    text: str
    picture: bytes


_LOOK = """document.querySelectorAll('details').forEach(one => one.open = true);
JSON.stringify({
    width: document.documentElement.scrollWidth,
    wide: [...document.body.querySelectorAll('*')]
        .filter(one => one.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
        .map(one => one.tagName + ' ' + (one.textContent || '').trim().slice(0, 40)),
    text: document.body.innerText,
})"""


class Chromium:
    """A browser in a profile of its own; it ends with the context."""

    def __init__(self, folder: Path) -> None:
        self._program = binary("chromium", "chromium")
        self._profile = folder / "profile"
        self._stack = ExitStack()
        self._number = 0

    def __enter__(self) -> Self:
        command = [self._program, *_QUIETLY, f"--user-data-dir={self._profile}", "about:blank"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._stack.callback(_end, process)
        port = self._profile / "DevToolsActivePort"
        until(lambda: port.exists() and port.read_text().count("\n") >= 1, within=_WITHIN, what="the browser")
        number, path = port.read_text().splitlines()
        # The browser takes no connection from a page, and tells one by its Origin.
        self._socket: WebSocket = create_connection(
            f"ws://127.0.0.1:{number}{path}", timeout=_WITHIN, suppress_origin=True, enable_multithread=False
        )
        self._stack.callback(self._socket.close)
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def show(self, page: Path, size: tuple[int, int] = PHONE, *, dark: bool = False) -> Shown:
        """Load a page in a window of that size, in CSS pixels, open what can be folded out, and look at it."""
        events: list[dict[str, Any]] = []
        target = self._ask("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self._ask("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]

        def ask(method: str, **values: Any) -> Any:
            return self._ask(method, values, session, events)

        for room in ("Page", "Runtime", "Log", "Network"):
            ask(f"{room}.enable")
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 2, "mobile": size == PHONE}
        ask("Emulation.setDeviceMetricsOverride", **metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        ask("Emulation.setEmulatedMedia", features=[scheme])
        ask("Page.navigate", url=page.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in events):
            events.append(json.loads(self._socket.recv()))
        found = json.loads(ask("Runtime.evaluate", expression=_LOOK)["result"]["value"])
        picture = ask("Page.captureScreenshot", captureBeyondViewport=True, format="png")
        self._ask("Target.closeTarget", {"targetId": target})
        asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
        return Shown(
            requests=tuple(url for url in asked if url != page.as_uri() and not url.startswith("data:")),
            complaints=tuple(json.dumps(event["params"]) for event in events if event["method"] in _COMPLAINTS),
            width=found["width"],
            wide=tuple(found["wide"]),
            text=found["text"],
            picture=base64.b64decode(picture["data"]),
        )

    def _ask(
        self, method: str, values: dict[str, Any], session: str | None = None, events: list[dict[str, Any]] | None = None
    ) -> Any:
        self._number += 1
        wanted = {"id": self._number, "method": method, "params": values}
        self._socket.send(json.dumps(wanted | ({"sessionId": session} if session else {})))
        while True:
            got = json.loads(self._socket.recv())
            if got.get("id") == self._number:
                assert "error" not in got, f"{method}: {got['error']}"
                return got["result"]
            if events is not None and got.get("sessionId") == session:
                events.append(got)


_COMPLAINTS = frozenset({"Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"})


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
