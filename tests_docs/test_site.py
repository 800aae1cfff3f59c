"""The documentation as a reader sees it: built, served without a network, and clicked through in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from browsing import contrast, serving, troubles_of
from playwright.sync_api import Browser, Locator, Page, TimeoutError, expect

SITE: Final = Path(__file__).parents[1] / "build" / "site"
PAGES: Final = sorted(str(path.relative_to(SITE)) for path in SITE.rglob("*.html"))


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """The site, served on this machine."""
    with serving(SITE) as url:
        yield url


def test_there_is_a_site() -> None:
    """The other tests look at pages that were built."""
    assert "index.html" in PAGES
    assert len(PAGES) > 100


def test_an_assistant_finds_every_operation() -> None:
    """llms.txt names all 419, each page it leads to is there as Markdown, and those say how each is called."""
    index = (SITE / "llms.txt").read_text(encoding="utf-8")
    named = re.findall(r"`(\w+)\.(\w+)`", index)
    assert len(set(named)) == len(named) == 419
    targets = re.findall(r"\]\(([^)]+)\)", index)
    assert [target for target in targets if not (SITE / target).is_file()] == []
    assert {f"reference/resources/{resource}.md" for resource, _ in named} <= set(targets)
    assert sorted(path.with_suffix(".html").name for path in SITE.rglob("*.md")) == sorted(
        Path(path).name for path in PAGES if path != "404.html"
    )
    for resource, call in named:
        page = (SITE / "reference" / "resources" / f"{resource}.md").read_text(encoding="utf-8")
        assert f"\n## {call}\n" in page
        assert f"kantata.{resource}.{call}(" in page


TEXT_BETWEEN_CODE: Final = """article => {
    const copy = article.cloneNode(true);
    copy.querySelectorAll("pre, code, script, style").forEach(one => one.remove());
    return copy.textContent;
}"""


@dataclass
class Visit:
    """What one page was found to have."""

    headings: int
    anchors: set[str]
    links: set[str]
    text: str


@pytest.fixture(scope="session")
def visits(browser: Browser, url: str) -> dict[str, Visit]:
    """Every page, opened once; whatever goes wrong or is loaded from elsewhere fails all that asks for it."""
    context = browser.new_context()
    page = context.new_page()
    troubles = troubles_of(page)
    elsewhere: list[str] = []
    page.on("request", lambda one: None if one.url.startswith((url, "data:")) else elsewhere.append(one.url))
    visited: dict[str, Visit] = {}
    for path in PAGES:
        if path == "404.html":
            continue
        page.goto(f"{url}/{path}", wait_until="load")
        visited[path] = Visit(
            headings=page.locator("h1").count(),
            anchors=set(page.eval_on_selector_all("[id]", "found => found.map(one => one.id)")),
            links=set(page.eval_on_selector_all("article a[href]", "found => found.map(one => one.href)")),
            text=page.eval_on_selector("article", TEXT_BETWEEN_CODE),
        )
    context.close()
    assert (troubles, elsewhere) == ([], [])
    return visited


def test_every_page_opens_with_one_heading(visits: dict[str, Visit]) -> None:
    """Without an error, and without anything from elsewhere."""
    assert [path for path, visit in visits.items() if visit.headings != 1] == []


def test_no_markup_is_left_over(visits: dict[str, Visit]) -> None:
    """Tables, links and emphasis are shown, not their Markdown."""
    marks = re.compile(r"\]\(|\| ?-{3}|\*\*|`")
    assert {path: marks.findall(visit.text)[:3] for path, visit in visits.items() if marks.search(visit.text)} == {}


def test_no_link_is_broken(visits: dict[str, Visit], url: str) -> None:
    """Each link within the site, with its anchor, leads somewhere."""
    links = {link for visit in visits.values() for link in visit.links if link.startswith(url)}
    inside = {link.removeprefix(f"{url}/") for link in links}
    broken = []
    for link in inside:
        path, _, anchor = link.partition("#")
        target = visits.get(path or "index.html")
        if target is None or (anchor and anchor not in target.anchors):
            broken.append(link)
    assert sorted(broken) == []
    assert len(inside) > 500


def test_a_reader_clicks_through(page: Page, url: str) -> None:
    """From the first page to the tutorial, to a how-to, to an operation of the API."""
    page.goto(f"{url}/index.html")
    page.locator("article").get_by_role("link", name="The tutorial").click()
    page.wait_for_selector("h1:has-text('Tutorial')")
    page.goto(f"{url}/index.html")
    page.locator("article").get_by_role("link", name="every resource").click()
    page.wait_for_selector("h1:has-text('All operations')")
    page.get_by_role("link", name="participations.create", exact=True).click()
    page.wait_for_selector("h1:has-text('Participations')")
    assert page.url.endswith("participations.html#create")


SOUGHT: Final = {
    "rate limit": "reference/limits.html",
    "proxy": "howto/networks.html",
    "pandas": "howto/tables.html",
    "fastapi": "howto/web_service.html",
    "nightly copy": "howto/copy.html",
    "upload file": "howto/files.html",
    "celery": "howto/processes.html",
    "notebook": "howto/notebooks.html",
    "include": "reference/links.html",
    "NotLoadedError": "reference/errors.html",
    "participations create": "reference/resources/participations.html",
    "login": "howto/signing_in.html",
}
"""What a reader types, and the page that answers it."""


def test_the_search_finds_without_a_network(page: Page, url: str) -> None:
    """What is typed is looked up in the site itself, and the page that answers it comes first."""
    page.goto(f"{url}/index.html")
    field = opened_search(page)
    for sought, answering in SOUGHT.items():
        field.fill(sought)
        marked = sought.replace(" ", "+")
        found = page.locator(f"a[href*='?h={marked}']").locator("visible=true").first
        expect(found).to_have_attribute("href", re.compile(re.escape(f"/{answering}?")), timeout=60_000)


def opened_search(page: Page) -> Locator:
    """The field of the search, whose key is pressed until the page, which listens once its script has run, opens it."""
    field = page.get_by_role("combobox", name="Search")
    for _ in range(60):
        page.keyboard.press("/")
        try:
            field.wait_for(state="visible", timeout=1_000)
        except TimeoutError:
            continue
        return field
    pytest.fail("the search does not open")


READ_WELL: Final = (
    "index.html",
    "tutorial.html",
    "glossary.html",
    "howto/team.html",
    "explanation/costs.html",
    "reference/bulk.html",
    "reference/sessions.html",
    "reference/resources/index.html",
    "reference/resources/participations.html",
)
"""A page of each kind: text, code, tables of every width."""


@pytest.mark.parametrize("width", [400, 1600])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_reads_well(browser: Browser, url: str, width: int, scheme: str) -> None:
    """At 400 and 1,600 pixels, light and dark: no page is wider than the window, and text stands out."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    for path in READ_WELL:
        page.goto(f"{url}/{path}")
        # The theme keeps room for a scroll bar, which is no room for what is too wide.
        wide = page.evaluate("document.documentElement.scrollWidth - document.body.clientWidth")
        assert wide <= 0, path
        assert contrast(page, "article p") > 4.5, path
        page.screenshot(path=str(SITE.parent / f"{Path(path).stem}-{width}-{scheme}.png"))
    context.close()
