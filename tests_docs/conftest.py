"""A real browser, and pages in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Final

import pytest
from browsing import troubles_of
from playwright.sync_api import Browser, Page, sync_playwright

FLAGS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert found, "install chromium, or say in CHROMIUM where a Chromium is"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of its own, on which whatever goes wrong is noted."""
    context = browser.new_context()
    page = context.new_page()
    troubles = troubles_of(page)
    yield page
    context.close()
    assert troubles == []
