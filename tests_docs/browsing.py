"""What the tests in a browser share: files served, what goes wrong on a page, how well its text stands out."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Page

LEFT: Final = "net::ERR_ABORTED"


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing of it."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a folder, served on this machine."""
    handler = functools.partial(QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def troubles_of(page: Page) -> list[str]:
    """What goes wrong on a page, as it goes wrong."""
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    # What a reader no longer waits for, having left the page, is no trouble.
    page.on("requestfailed", lambda one: None if one.failure == LEFT else troubles.append(f"failed: {one.url}"))
    page.on("response", lambda one: troubles.append(f"{one.status}: {one.url}") if one.status >= 400 else None)
    return troubles


def contrast(page: Page, selector: str) -> float:
    """The contrast of an element's text with what lies behind it, as the Web Content Accessibility Guidelines count."""
    return float(
        page.evaluate(
            """selector => {
                const light = ([r, g, b]) => [r, g, b]
                    .map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
                    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
                const canvas = document.createElement("canvas").getContext("2d");
                const over = (color, under) => {
                    canvas.fillStyle = under; canvas.fillRect(0, 0, 1, 1);
                    canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
                    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
                };
                const element = document.querySelector(selector);
                const behind = [];
                for (let one = element; one !== null; one = one.parentElement) behind.unshift(one);
                const text = getComputedStyle(element).color;
                let back = "white";
                for (const one of behind) back = `rgb(${over(getComputedStyle(one).backgroundColor, back)})`;
                const front = over(text, back), ground = over(back, back);
                const [low, high] = [light(ground), light(front)].sort((a, b) => a - b);
                return (high + 0.05) / (low + 0.05);
            }""",
            selector,
        )
    )
