"""The sandbox's page in a real browser: what is read, clicked and typed there, and what no data makes of it."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest
from browsing import contrast, serving
from playwright.sync_api import Browser, Page, expect

from kantata_async.sandbox import Fault, Sandbox, ServerRateLimit, Switches, ThreadedSandbox

PICTURES: Final = Path(__file__).parents[1] / "build"
HOSTILE: Final = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
ANY_NAME: Final = re.compile(".")
SECTIONS: Final = ("company", "requests", "limits", "faults", "switches")

TEXTS: Final = {
    "company": ("#tables a[aria-current]", "#tables .count", "#records td", "#records td a", "#records thead a"),
    "requests": ("[data-kind=fine] .status", "[data-kind=failed] .status", "[data-kind=refused] .status", ".took"),
    "limits": ("#figure-refused", ".figures dt", "#limit-list button", "#limit-form label", "#limit-form button"),
    "faults": ("#fault-list li", "#fault-list .count", "#presets button", ".own summary"),
    "switches": (".switch-list .name", ".switch-list p", ".hint"),
}
"""The kinds of text in each section."""
ATTACK: Final = """async url => {
    const fault = {method: "POST", body: '{"kind": "hang"}'};
    for (const mode of ["cors", "no-cors"]) await fetch(url + "faults", {...fault, mode}).catch(() => null);
    const heard = new Promise(done => {
        const events = new EventSource(url + "events");
        events.onopen = () => done(true);
        events.onerror = () => { events.close(); done(false); };
    });
    const framed = new Promise(done => {
        const frame = document.createElement("iframe");
        frame.onload = () => done(frame.contentWindow.length > 0 || frame.contentDocument !== null);
        frame.src = url;
        document.body.append(frame);
    });
    return [await heard, await framed];
}"""


@pytest.fixture
def sandbox() -> Iterator[ThreadedSandbox]:
    with Sandbox.in_thread() as sandbox:
        yield sandbox


def ask(sandbox: ThreadedSandbox, method: str, path: str, body: Any = None) -> int:
    """The status of a request as any program sends it."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {sandbox.token}", "Content-Type": "application/json"}
    request = urllib.request.Request(sandbox.url + path, method=method, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def opened(page: Page, sandbox: ThreadedSandbox, fragment: str = "") -> Page:
    """The page, once it hears the sandbox."""
    page.goto(f"{sandbox.page_url}{fragment}")
    expect(page.locator("#connection")).to_have_text("Live")
    return page


def test_the_company_is_walked_through(page: Page, sandbox: ThreadedSandbox) -> None:
    """From the projects to a participation, to its user, and back to all participations of that user."""
    opened(page, sandbox)
    expect(page.locator("#records h3")).to_contain_text("workspaces")
    page.get_by_label("Find a collection").fill("particip")
    page.locator("#tables").get_by_role("link", name="participations 24").click()
    expect(page.locator("#records h3")).to_contain_text("participations")
    member = sandbox.store.all("participations")[0]
    user = sandbox.store.get("users", member["user_id"])
    assert user is not None
    page.locator("#records tbody tr").first.get_by_role("link", name=user["full_name"]).click()
    expect(page.locator("#records h3")).to_contain_text(user["full_name"])
    page.locator(".referring").get_by_role("link", name="participations", exact=True).click()
    count = len(sandbox.store.referring("participations", "user_id", user["id"]))
    expect(page.locator("#records tbody tr")).to_have_count(count)
    page.go_back()
    expect(page.locator("#records h3")).to_contain_text(user["full_name"])


def test_tables_are_paged_searched_and_ordered(page: Page, sandbox: ThreadedSandbox) -> None:
    """Page by page, by what is typed, and by a column in both directions; with the keyboard as well."""
    opened(page, sandbox, "#/users")
    expect(page.locator("#records tbody tr")).to_have_count(25)
    page.get_by_role("link", name="Next").press("Enter")
    expect(page.locator(".paging")).to_contain_text("Page 2 of 3")
    expect(page.get_by_role("link", name="Next")).to_be_focused()
    heading = page.get_by_role("columnheader", name="full_name")
    heading.get_by_role("link").press("Enter")
    expect(heading).to_have_attribute("aria-sort", "ascending")
    heading.get_by_role("link").press("Enter")
    expect(heading).to_have_attribute("aria-sort", "descending")
    last = max((str(user["full_name"]) for user in sandbox.store.all("users")), key=str.casefold)
    expect(page.locator("#records tbody tr").first).to_contain_text(last)
    page.get_by_label("Search users").fill(last)
    page.get_by_label("Search users").press("Enter")
    expect(page.locator("#records tbody tr")).to_have_count(1)


def test_what_a_program_does_shows_as_it_happens(page: Page, sandbox: ThreadedSandbox) -> None:
    """A request, what it sent, and the record that it made, with nothing loaded anew."""
    opened(page, sandbox, "#/roles?order=-id")
    expect(page.locator("#no-requests")).to_be_visible()
    ask(sandbox, "POST", "/roles", {"role": {"name": "Glazier"}})
    line = page.locator("#request-list li").first
    expect(line).to_contain_text("/roles")
    expect(page.locator("#no-requests")).to_be_hidden()
    line.locator("summary").press("Enter")
    expect(line.locator("pre")).to_contain_text("Glazier")
    expect(page.locator("#records tbody tr").first).to_contain_text("Glazier")
    page.get_by_role("button", name="Pause").click()
    ask(sandbox, "GET", "/users/7")
    expect(page.locator("#figure-minute")).to_have_text("2")
    expect(page.locator("#request-list li")).to_have_count(1)
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#request-list li")).to_have_count(2)
    page.get_by_label("Which requests").select_option("writes")
    expect(page.locator("#request-list li:visible")).to_have_count(1)
    page.locator("#requests").get_by_role("button", name="Clear").click()
    expect(page.locator("#request-list li")).to_have_count(0)
    assert sandbox.requests == []


def test_limits_are_set_and_plotted(page: Page, sandbox: ThreadedSandbox) -> None:
    """A limit that is added holds, and what it refuses has another colour than what it lets through."""
    opened(page, sandbox)
    limits = page.locator("#limits")
    limits.get_by_role("spinbutton", name="Requests").fill("3")
    limits.get_by_role("spinbutton", name="in seconds", exact=True).fill("60")
    limits.get_by_role("button", name="Add limit").click()
    expect(page.locator("#limit-list li")).to_contain_text("3 in 60 s")
    assert sandbox.rate_limits == (ServerRateLimit(3, 60),)
    assert [ask(sandbox, "GET", "/users/me") for _ in range(5)] == [200, 200, 200, 429, 429]
    expect(page.locator("#figure-refused")).to_have_text("2")
    told = "3 let through, 2 refused, under a limit of 0.05 a second"
    expect(page.locator("#plot")).to_have_attribute("aria-label", re.compile(f"{told}$"))
    through, refused = (page.locator(f"#plot rect.{kind}").first for kind in ("through", "refused"))
    fills = [one.evaluate("one => getComputedStyle(one).fill") for one in (through, refused)]
    assert len(set(fills)) == 2
    expect(page.locator("#request-list [data-kind=refused]")).to_have_count(2)
    limits.get_by_role("button", name="Remove the limit").click()
    expect(page.locator("#limit-list li")).to_have_count(0)
    assert sandbox.rate_limits == ()
    limits.get_by_role("spinbutton", name="Every answer takes longer").fill("0.01")
    limits.get_by_role("button", name="Set").click()
    expect(page.locator("#notice")).to_have_text("Latency set")
    assert sandbox.latency == 0.01


def test_faults_are_clicked(page: Page, sandbox: ThreadedSandbox) -> None:
    """A ready one, one of your own, what is left of them as they strike, and none any more."""
    opened(page, sandbox)
    page.get_by_role("button", name="503 from a proxy, three times").click()
    expect(page.locator("#fault-list li")).to_contain_text("3 to come")
    assert ask(sandbox, "GET", "/users/me") == 503
    expect(page.locator("#fault-list li")).to_contain_text("2 to come")
    page.get_by_text("A fault of your own").click()
    form = page.locator("#fault-form")
    form.get_by_label("What happens").select_option("empty")
    form.get_by_label("Method").select_option("GET")
    form.get_by_label("Path").fill("/roles*")
    form.get_by_role("spinbutton", name="How often").fill("")
    form.get_by_role("spinbutton", name="Status").fill("418")
    form.get_by_role("button", name="Add fault").press("Enter")
    expect(page.locator("#fault-list li")).to_have_count(2)
    own = next(fault for fault in sandbox.faults if fault.kind == "empty")
    assert own == Fault("empty", method="GET", path="/roles*", times=None, status=418)
    page.get_by_role("button", name="Clear all").click()
    expect(page.locator("#fault-list li")).to_have_count(0)
    assert list(sandbox.faults) == []


def test_switches_are_switched(page: Page, sandbox: ThreadedSandbox) -> None:
    """Each kind of them; the page shows which are not as they were, also when a program changes one."""
    opened(page, sandbox)
    page.get_by_role("switch", name="integer_ids").press("Space")
    expect(page.locator("li[data-changed=true]")).to_contain_text("integer_ids")
    page.get_by_label("retry_after").select_option("date")
    page.get_by_label("export_seconds").fill("2")
    page.get_by_label("ignored_fields").fill("users.bio, roles.name")
    page.get_by_label("ignored_fields").press("Enter")
    expect(page.locator("li[data-changed=true]")).to_have_count(4)
    names = frozenset({"users.bio", "roles.name"})
    expected = Switches(integer_ids=True, retry_after="date", export_seconds=2.0, ignored_fields=names)
    assert sandbox.switches == expected
    page.get_by_role("heading", name="Switches").click()
    sandbox.switches = Switches()
    expect(page.get_by_role("switch", name="integer_ids")).not_to_be_checked()
    page.on("dialog", lambda dialog: dialog.accept())
    sandbox.store.add("roles", {"name": "Glazier"})
    page.get_by_role("button", name="Start over").click()
    expect(page.locator("#notice")).to_have_text("The company is as it was")
    assert "Glazier" not in {role["name"] for role in sandbox.store.all("roles")}


def test_no_data_becomes_markup(page: Page, sandbox: ThreadedSandbox) -> None:
    """Hostile texts in records, ids, paths, queries, bodies, faults and limits show as they are, and do nothing."""
    sandbox.store.update("workspaces", "1", {"title": HOSTILE, "description": f"javascript:{HOSTILE}"})
    sandbox.store.add("workspaces", {"id": HOSTILE, "title": "'\"><b>"})
    sandbox.faults.add(Fault("empty", method=HOSTILE, path=HOSTILE))
    sandbox.rate_limits = [ServerRateLimit(1_000, 1.0, path=HOSTILE)]
    sandbox.switches = Switches(ignored_fields=[HOSTILE])
    quoted = quote(HOSTILE, safe="")
    opened(page, sandbox)
    ask(sandbox, "POST", f"/roles/{quoted}?{quoted}={quoted}", {"role": {"name": HOSTILE}})
    line = page.locator("#request-list li").first
    line.locator("summary").click()
    expect(line.locator("pre")).to_contain_text("onerror")
    expect(page.locator("#records tbody tr").first).to_contain_text("<img src=x")
    expect(page.locator("#fault-list")).to_contain_text("<img src=x")
    expect(page.locator("#limit-list")).to_contain_text("<img src=x")
    page.locator("#records tbody").get_by_role("link", name="<img").click()
    expect(page.locator("#records h3")).to_contain_text("'\"><b>")
    for fragment in (f"#/workspaces?search={quoted}", f"#/{quoted}", f"#/users?attribute={quoted}&value={quoted}"):
        page.goto(f"{sandbox.page_url}{fragment}")
        expect(page.locator("#records")).not_to_be_empty()
    assert page.title() == "Kantata sandbox"
    assert page.locator("main img, main script, main b:empty").count() == 0
    links = page.eval_on_selector_all("main a", "found => found.map(one => one.getAttribute('href'))")
    assert [link for link in links if not link.startswith("#/")] == []


def test_a_page_from_elsewhere_reaches_nothing(browser: Browser, sandbox: ThreadedSandbox, tmp_path: Path) -> None:
    """Another origin on this machine, which is as near as a page can be: no fault is set, nothing heard or framed."""
    (tmp_path / "page.html").write_text("<!doctype html><title>Elsewhere</title>")
    context = browser.new_context()
    page = context.new_page()
    with serving(tmp_path) as elsewhere:
        page.goto(f"{elsewhere}/page.html")
        heard, framed = page.evaluate(ATTACK, sandbox.page_url)
        context.close()
    assert (heard, framed, list(sandbox.faults)) == (False, False, [])


@pytest.mark.parametrize("width", [400, 1600])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_reads_well(browser: Browser, sandbox: ThreadedSandbox, width: int, scheme: str) -> None:
    """At 400 and 1,600 pixels, light and dark: nothing is wider than the window, and every kind of text stands out."""
    sandbox.rate_limits = [ServerRateLimit(2, 60)]
    sandbox.switches = Switches(integer_ids=True)
    sandbox.faults.add(Fault("hang", when="after", path="/invoices*", times=None))
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page = opened(context.new_page(), sandbox)
    for path in ("/users/me", "/users/99999", "/users/7"):
        ask(sandbox, "GET", path)
    expect(page.locator("#figure-refused")).to_have_text("1")
    for section in SECTIONS:
        if width < 1100:
            page.get_by_role("navigation", name="Sections").get_by_role("button", name=section, exact=False).click()
            expect(page.locator("main > .column > section:visible")).to_have_count(1)
        expect(page.locator(f"#{section}")).to_be_visible()
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, section
        for text in TEXTS[section]:
            assert contrast(page, text) >= 4.5, (section, text)
        page.screenshot(path=str(PICTURES / f"sandbox-{section}-{width}-{scheme}.png"))
    context.close()


def test_everything_has_a_name(page: Page, sandbox: ThreadedSandbox) -> None:
    """For a screen reader: each field, button, link and list of choices, and each section."""
    opened(page, sandbox)
    page.get_by_text("A fault of your own").click()
    expect(page.get_by_role("switch")).to_have_count(12)
    for role in ("button", "textbox", "searchbox", "spinbutton", "combobox", "switch"):
        found = page.get_by_role(role)  # type: ignore[arg-type]
        for index in range(found.count()):
            expect(found.nth(index)).to_have_accessible_name(ANY_NAME)
    assert page.eval_on_selector_all("a", "found => found.filter(one => !one.textContent.trim())") == []
    for section in ("Company", "Switches", "Limits", "Faults", "Requests"):
        expect(page.get_by_role("region", name=section, exact=True)).to_be_visible()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") in {"A", "BUTTON", "INPUT", "SUMMARY", "SELECT", "DIV"}


def test_a_sandbox_that_ends_is_told(browser: Browser) -> None:
    """The page says that nobody answers, and does not break."""
    context = browser.new_context()
    watching = context.new_page()
    with Sandbox.in_thread(people=3, projects=1) as sandbox:
        opened(watching, sandbox)
    expect(watching.locator("#connection")).to_have_text("Not connected")
    watching.get_by_role("button", name="Hang for 10 seconds").click()
    expect(watching.locator("#notice")).to_have_text("The sandbox does not answer")
    context.close()
