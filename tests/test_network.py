"""Ways through networks: proxies, certificates, connectors of the program's own, and what the environment says."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme
from aiohttp.client_reqrep import ConnectionKey
from proxying import ConnectProxy
from waiting import until
from wire import OK, TOKEN, Connection, Server, cut, hang, json_answer, silent_port, then_cut
from yarl import URL

from kantata_async import KantataSession, RateLimit, RetryPolicy
from kantata_async.errors import (
    AmbiguousWriteError,
    ConnectionFailedError,
    PermissionDeniedError,
    RequestTimeoutError,
    SignInError,
    UsageError,
    may_be_carried_out,
)
from kantata_async.signin import Profile, discover, save_profile
from kantata_async.transport.environment import proxy_of_environment
from kantata_async.transport.failures import is_hopeless

API = "https://kantata.example/api/v1"
VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "KANTATA_BASE_URL", "KANTATA_LOG")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """What a session trusts that was told of the authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def certified(authority: trustme.CA) -> ssl.SSLContext:
    """What a server shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("kantata.example", "127.0.0.1").configure_cert(context)
    return context


def session(base_url: str = API, **settings: Any) -> KantataSession:
    """A session that tries once, unless a test says otherwise."""
    return KantataSession(
        **{"token": TOKEN, "base_url": base_url, "retry": RetryPolicy.never(), "rate_limit": None} | settings
    )


# --- proxies ---


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("scheme", ["http://", ""], ids=["http", "no scheme"])
async def test_a_proxy_of_the_environment_is_gone_through(
    monkeypatch: pytest.MonkeyPatch,
    trusting: ssl.SSLContext,
    certified: ssl.SSLContext,
    variable: str,
    scheme: str,
) -> None:
    """As by other clients; it hears where to, and nothing of what is said there."""
    async with Server([OK, OK], tls=certified) as server, ConnectProxy(server.port) as proxy:
        monkeypatch.setenv(variable, f"{scheme}127.0.0.1:{proxy.port}")
        async with session(ssl=trusting) as kantata:
            assert await kantata.request("GET", "/users/me") == {"ok": True}
            assert await kantata.request("POST", "/users", json={"secret": "body"}) == {"ok": True}
    assert proxy.targets == ["CONNECT kantata.example:443"]
    assert [request.headers["authorization"] for request in server.received] == [f"Bearer {TOKEN}"] * 2
    for secret in (TOKEN, "/users", "body"):
        assert secret.encode() not in proxy.heard


@pytest.mark.parametrize(
    ("variables", "settings"),
    [
        ({"NO_PROXY": "kantata.example"}, {}),
        ({"NO_PROXY": ".example"}, {}),
        ({"NO_PROXY": "elsewhere.test,kantata.example:443"}, {}),
        ({"NO_PROXY": "*"}, {}),
        ({"no_proxy": "kantata.example"}, {}),
        ({"NO_PROXY": "elsewhere.test", "no_proxy": "kantata.example"}, {}),
        ({}, {"trust_env": False}),
    ],
)
async def test_a_proxy_that_is_not_meant_is_not_used(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], settings: dict[str, Any]
) -> None:
    """The name does not resolve, and the proxy is not asked."""
    async with ConnectProxy(silent_port()) as proxy:
        for name, value in {"HTTPS_PROXY": proxy.url, **variables}.items():
            monkeypatch.setenv(name, value)
        async with session(**settings) as kantata:
            with pytest.raises(ConnectionFailedError, match=r"no connection to kantata\.example:443"):
                await kantata.request("GET", "/users/me")
    assert proxy.targets == []


@pytest.mark.parametrize(
    ("no_proxy", "left_out", "gone_through"),
    [
        ("kantata.example", ["kantata.example", "KANTATA.example:8443", "eu.kantata.example"], ["notkantata.example"]),
        (".kantata.example", ["kantata.example", "eu.kantata.example"], ["kantata.example.org"]),
        ("*.kantata.example", ["kantata.example", "a.b.kantata.example"], ["example"]),
        ("KANTATA.EXAMPLE.", ["kantata.example", "kantata.example."], ["example"]),
        ("kantata.example:8443", ["kantata.example:8443", "eu.kantata.example:8443"], ["kantata.example"]),
        ("kantata.example:443", ["kantata.example"], ["kantata.example:8443"]),
        ("localhost", ["localhost:8443"], ["127.0.0.1", "[::1]"]),
        ("10.0.0.0/8", ["10.0.0.1", "10.255.255.255:8443", "[::ffff:10.0.0.1]"], ["11.0.0.1", "x10.0.0.1.example"]),
        ("10.1.2.3/255.255.0.0", ["10.1.9.9"], ["10.2.0.1"]),
        ("0.0.0.0/0", ["192.0.2.1"], ["kantata.example", "[2001:db8::1]"]),
        ("10.0.0.7", ["10.0.0.7", "10.0.0.7:8443"], ["10.0.0.70", "110.0.0.7"]),
        ("10.0.0.7:8443", ["10.0.0.7:8443"], ["10.0.0.7"]),
        ("::1", ["[::1]", "[::1]:8443", "[0:0:0:0:0:0:0:1]"], ["[::2]", "127.0.0.1"]),
        ("[::1]", ["[::1]", "[::1]:8443"], ["[::2]"]),
        ("[::1]:8443", ["[::1]:8443"], ["[::1]"]),
        ("2001:db8::/32", ["[2001:db8:1::9]"], ["[2001:db9::1]", "10.0.0.1"]),
        ("[fe80::]/10", ["[fe80::1%25eth0]"], ["[2001:db8::1]"]),
        ("bücher.example", ["bücher.example", "xn--bcher-kva.example"], ["bucher.example"]),
        ("xn--bcher-kva.example", ["bücher.example"], ["bucher.example"]),
        ("https://kantata.example", ["kantata.example"], ["elsewhere.test"]),
        ("https://kantata.example:8443/", ["kantata.example:8443"], ["kantata.example"]),
        ("all://10.0.0.0/8", ["10.0.0.1"], ["11.0.0.1"]),
        ("http://kantata.example", [], ["kantata.example"]),
        ("*", ["kantata.example", "10.0.0.1", "[::1]:8443"], []),
        ("elsewhere.test, *", ["kantata.example"], []),
        ("elsewhere.test kantata.example", ["kantata.example", "elsewhere.test"], ["third.test"]),
        (" elsewhere.test ,\tkantata.example,", ["kantata.example", "elsewhere.test"], ["third.test"]),
        (", ,", [], ["kantata.example", "10.0.0.1"]),
        (".", [], ["kantata.example", "10.0.0.1"]),
        ("300.0.0.0/8,10.0.0.0/99,/8,:8443,kantata.example:999999", [], ["10.0.0.1", "kantata.example", "[::1]"]),
    ],
)
def test_no_proxy_names_servers_as_other_clients_read_it(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, left_out: list[str], gone_through: list[str]
) -> None:
    """By name with all below it, by address, by range, with a port, and in any mixture."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    reached = {server: proxy_of_environment(URL(f"https://{server}/api/v1")) for server in left_out + gone_through}
    assert reached == dict.fromkeys(left_out) | dict.fromkeys(gone_through, "http://proxy.example:3128")


@pytest.mark.parametrize(("capitals", "small"), [("10.0.0.1", "10.0.0.2"), ("10.0.0.1", "")])
def test_small_letters_go_before_capitals(monkeypatch: pytest.MonkeyPatch, capitals: str, small: str) -> None:
    """As everywhere, also where they are empty."""
    for name, value in {"HTTPS_PROXY": "proxy.example", "NO_PROXY": capitals, "no_proxy": small}.items():
        monkeypatch.setenv(name, value)
    assert proxy_of_environment(URL("https://10.0.0.1/")) == "http://proxy.example"
    assert (proxy_of_environment(URL("https://10.0.0.2/")) is None) == bool(small)


async def test_plain_http_goes_through_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes to this very machine; a proxy would read the token."""
    async with Server([OK]) as server, ConnectProxy(server.port) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        async with session(server.url) as kantata:
            await kantata.request("GET", "/users/me")
        with pytest.raises(UsageError, match="proxy= is only for https"):
            await session(server.url, proxy=proxy.url).open()
    assert proxy.targets == []


async def test_a_proxy_is_told_its_password_and_the_api_is_not(
    trusting: ssl.SSLContext, certified: ssl.SSLContext
) -> None:
    """Nor is the proxy told the token."""
    async with (
        Server([OK], tls=certified) as server,
        ConnectProxy(server.port, password="clerk:p@ss word") as proxy,
        session(ssl=trusting, proxy=f"http://clerk:p%40ss%20word@127.0.0.1:{proxy.port}") as kantata,
    ):
        await kantata.request("GET", "/users/me")
    assert not [name for name in server.received[0].headers if "proxy" in name]
    assert TOKEN.encode() not in proxy.heard


async def test_a_proxy_that_refuses_is_told_once_and_without_the_password(certified: ssl.SSLContext) -> None:
    """Neither in the error nor in a variable of a frame; it would refuse again."""
    async with (
        Server([OK], tls=certified) as server,
        ConnectProxy(server.port, password="clerk:right") as proxy,
        session(proxy=f"http://clerk:wr0ng-one@127.0.0.1:{proxy.port}", retry=RetryPolicy()) as kantata,
    ):
        with pytest.raises(
            ConnectionFailedError, match="the proxy does not connect to the API: it answered 407, and wants a user name"
        ) as caught:
            await kantata.request("POST", "/users", json={})
    assert len(proxy.targets) == 1
    assert caught.tb.tb_next is not None
    shown = traceback.TracebackException(ConnectionFailedError, caught.value, caught.tb.tb_next, capture_locals=True)
    assert "wr0ng-one" not in "".join(shown.format())


async def test_a_write_that_never_came_through_a_proxy_is_sent_again(
    trusting: ssl.SSLContext, certified: ssl.SSLContext
) -> None:
    """A tunnel that was not made carried nothing."""
    retry = RetryPolicy(attempts=3, first_wait=0.001)
    async with (
        Server([OK], tls=certified) as server,
        ConnectProxy(server.port, refusals=2) as proxy,
        session(ssl=trusting, proxy=proxy.url, retry=retry) as kantata,
    ):
        assert await kantata.request("POST", "/users", json={}) == {"ok": True}
    assert (len(proxy.targets), server.methods) == (3, ["POST"])


async def test_a_proxy_that_is_not_there_is_named() -> None:
    """And not taken for the API."""
    port = silent_port()
    async with session(proxy=f"http://127.0.0.1:{port}") as kantata:
        with pytest.raises(ConnectionFailedError, match=f"no connection to the proxy 127.0.0.1:{port}"):
            await kantata.request("POST", "/users", json={})


@pytest.mark.parametrize("given", [True, False], ids=["given", "of the environment"])
async def test_a_token_is_renewed_the_way_that_the_session_goes(
    trusting: ssl.SSLContext,
    certified: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    given: bool,
) -> None:
    """Through the proxy, with its password, and by the certificates that the session trusts."""
    monkeypatch.setenv("KANTATA_CONFIG_DIR", str(tmp_path))
    script = [json_answer({}, 401), json_answer({"access_token": "the-next-one"}), OK]
    async with (
        Server(script, tls=certified) as server,
        ConnectProxy(server.port, password="clerk:word") as proxy,
    ):
        way = f"http://clerk:word@127.0.0.1:{proxy.port}"
        if not given:
            monkeypatch.setenv("HTTPS_PROXY", way)
        profile = Profile(
            "default",
            API,
            TOKEN,
            "client",
            "",
            refresh_token="refresh",
            token_url="https://kantata.example/oauth/token",
        )
        save_profile(profile)
        async with session(token=profile, ssl=trusting, proxy=way if given else None) as kantata:
            await kantata.request("GET", "/users/me")
    assert [request.target for request in server.received] == ["/api/v1/users/me", "/oauth/token", "/api/v1/users/me"]
    assert server.received[2].headers["authorization"] == "Bearer the-next-one"
    assert set(proxy.targets) == {"CONNECT kantata.example:443"}
    assert not [name for one in server.received for name in one.headers if "proxy" in name]


async def test_signing_in_goes_through_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which has to be there."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{silent_port()}")
    with pytest.raises(SignInError, match="cannot be asked where to sign in: ClientProxyConnectionError"):
        await discover(API)


async def test_a_proxy_whose_name_is_wrong_is_named() -> None:
    """Though the API's name would fail in the same words; it is not tried again."""
    async with session(proxy="http://proxy.invalid:3128", retry=RetryPolicy()) as kantata:
        with pytest.raises(ConnectionFailedError, match=r"no connection to the proxy proxy\.invalid:3128") as caught:
            await kantata.request("POST", "/users", json={})
    assert "attempts" not in str(caught.value)


async def test_a_proxy_whose_certificate_is_not_trusted_is_named(certified: ssl.SSLContext) -> None:
    """An https proxy, that is."""
    with shown_a_certificate(certified) as (url, _):
        async with session(proxy=url.removesuffix("/api/v1")) as kantata:
            with pytest.raises(ConnectionFailedError, match=r"no connection to the proxy .* SSL_CERT_FILE"):
                await kantata.request("POST", "/users", json={})


ODD_PROXIES = [
    "",
    "proxy",
    "//proxy",
    "ftp://proxy",
    "socks5://clerk:s3cret@proxy:1080",
    "http://",
    "http://proxy:port",
    "http://clerk:s3cret@[proxy",
    "http://proxy/path",
    "http://proxy?x",
    "http://clerk:s3cret@proxy/s3cret",
    "http://clerk:s3c\nret@proxy",
    "http://clerk:s3cret@pro xy",
    "http://clerk:s3cret@a..proxy",
    f"http://clerk:s3cret@{'long' * 16}.proxy",
    "http://the%3Aclerk:s3cret@proxy",
    5,
    b"http://proxy",
]


@pytest.mark.parametrize("proxy", ODD_PROXIES)
async def test_a_proxy_that_cannot_be_used_is_refused_unseen(monkeypatch: pytest.MonkeyPatch, proxy: Any) -> None:
    """When the session is made; one of the environment when it is opened."""
    with pytest.raises(UsageError, match="proxy") as caught:
        session(proxy=proxy)
    assert "s3cret" not in str(caught.value)
    if isinstance(proxy, str) and "://" in proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        with pytest.raises(UsageError, match="HTTPS_PROXY or ALL_PROXY") as caught:
            await session().open()
        assert "s3cret" not in str(caught.value)


# --- certificates and names ---


@contextmanager
def shown_a_certificate(context: ssl.SSLContext) -> Iterator[tuple[str, list[bytes]]]:
    """The URL of a server that shows a certificate to one client, and what it hears of it after that.

    In a thread: asyncio would leave behind what is left of a handshake that the client breaks off.
    """
    heard: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with suppress(OSError), connection, context.wrap_socket(connection, server_side=True) as secured:
            heard.append(secured.recv(65536))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}/api/v1", heard
        thread.join(30)


async def test_a_certificate_that_is_not_trusted_is_told_at_once(certified: ssl.SSLContext) -> None:
    """Nothing is sent, and nothing is tried again."""
    with shown_a_certificate(certified) as (url, heard):
        async with session(url, retry=RetryPolicy()) as kantata:
            with pytest.raises(ConnectionFailedError, match=r"certificate verify failed.*or give ssl=") as caught:
                await kantata.request("POST", "/users", json={})
    assert "attempts" not in str(caught.value)
    assert heard in ([], [b""])


async def test_a_certificate_of_somebody_else_is_not_taken(trusting: ssl.SSLContext, authority: trustme.CA) -> None:
    """Though the authority is trusted."""
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere.example").configure_cert(other)
    with shown_a_certificate(other) as (url, heard):
        async with session(url, ssl=trusting) as kantata:
            with pytest.raises(ConnectionFailedError, match="certificate") as caught:
                await kantata.request("GET", "/users/me")
    assert "SSL_CERT_FILE" not in str(caught.value), "other authorities would not help"
    assert heard in ([], [b""])


KEY = ConnectionKey("kantata.example", 443, True, True, None, None, None)


def failed_name(number: int) -> Exception:
    """What aiohttp raises for a name that the resolver says this of."""
    error = aiohttp.ClientConnectorDNSError(KEY, OSError(None, "as aiohttp has it"))
    error.os_error.__cause__ = socket.gaierror(number, "as the resolver has it")
    return error


@pytest.mark.parametrize(
    ("error", "hopeless"),
    [
        (failed_name(socket.EAI_NONAME), True),
        (failed_name(socket.EAI_AGAIN), False),
        (aiohttp.ClientConnectorDNSError(KEY, socket.gaierror(socket.EAI_NONAME, "unknown")), True),
        (aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLCertVerificationError(1, "expired")), True),
        (aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError(1, "wrong version number")), True),
        (aiohttp.ClientConnectorSSLError(KEY, ssl.SSLEOFError(8, "it went away")), False),
        (aiohttp.ClientConnectorError(KEY, ConnectionRefusedError(111, "refused")), False),
        (aiohttp.ServerDisconnectedError(), False),
        (TimeoutError(), False),
    ],
)
def test_what_cannot_work_is_told_from_what_may(error: Exception, hopeless: bool) -> None:
    """A name that there is not, against a resolver that is busy."""
    assert is_hopeless(error) is hopeless


async def test_a_write_does_not_go_on_a_closed_connection_with_tls_either(
    trusting: ssl.SSLContext, certified: ssl.SSLContext
) -> None:
    """The server's goodbye is read before the next write."""
    async with Server([then_cut(OK)] * 10, tls=certified) as server, session(server.url, ssl=trusting) as kantata:
        for _ in range(10):
            await kantata.request("POST", "/users", json={})
            # The goodbye of TLS comes a moment after the answer; the loop must not have seen it.
            time.sleep(0.02)  # noqa: ASYNC251
    assert server.methods == ["POST"] * 10


# --- a connector of the program's own ---


async def test_a_connector_is_used_and_left_open() -> None:
    """It is its maker's: two sessions may share one, with the limits that it was given."""
    async with aiohttp.TCPConnector(limit=1) as connector, Server([OK] * 6) as server:
        for _ in range(2):
            async with session(server.url, connector=connector) as kantata:
                await asyncio.gather(*(kantata.request("GET", "/users") for _ in range(3)))
            assert not connector.closed
    assert len(server.connections) == 1


async def test_a_connector_that_is_made_for_the_session_is_closed_with_it() -> None:
    """It is made when the session is opened, in its event loop."""
    made: list[aiohttp.TCPConnector] = []

    def make() -> aiohttp.TCPConnector:
        made.append(aiohttp.TCPConnector(limit=1))
        return made[-1]

    async with Server([OK]) as server:
        kantata = session(server.url, connector=make)
        assert made == []
        async with kantata:
            await kantata.request("GET", "/users")
        assert [connector.closed for connector in made] == [True]


async def test_what_is_known_of_a_request_is_known_with_any_connector() -> None:
    """Lost after it was sent, never sent, or interrupted before it had a connection."""
    retry = RetryPolicy(attempts=2, first_wait=0.001)
    async with (
        aiohttp.TCPConnector(limit=1) as connector,
        Server([OK, cut, hang]) as server,
        session(server.url, connector=connector, retry=retry) as kantata,
        session(f"http://127.0.0.1:{silent_port()}", connector=connector, retry=retry) as nowhere,
    ):
        await kantata.request("POST", "/users", json={})
        with pytest.raises(AmbiguousWriteError):
            await kantata.request("POST", "/users", json={})
        with pytest.raises(ConnectionFailedError, match="after 2 attempts"):
            await nowhere.request("POST", "/users", json={})
        waiting = [asyncio.create_task(kantata.request("POST", f"/users/{number}", json={})) for number in range(2)]
        await until(lambda: len(server.received) == 3)
        # Whoever waits for the connection of the first goes first: it would begin to connect.
        for task, may_be in zip(reversed(waiting), (False, True), strict=True):
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            assert may_be_carried_out(caught.value) is may_be
    assert server.methods == ["POST"] * 3


@pytest.mark.parametrize(
    "settings",
    [
        {"ssl": False},
        {"ssl": "cert.pem"},
        {"connector": "tcp"},
        {"trust_env": "no"},
        {"headers": ["a"]},
        {"headers": {"a b": "c"}},
        {"headers": {"a": "b\r\nc: d"}},
        {"headers": {"a": "é"}},
        {"headers": {"a": 5}},
        {"headers": {"Authorization": "Basic s3cret"}},
        {"headers": {"content-length": "5"}},
        {"headers": {"HOST": "elsewhere.example"}},
        {"base_url": 5},
        {"base_url": "https://127.0.0.1:0/api"},
    ],
    ids=repr,
)
def test_a_setting_that_cannot_work_is_refused(settings: dict[str, Any]) -> None:
    """When the session is made, and no value is shown."""
    with pytest.raises(UsageError, match=next(iter(settings))) as caught:
        session(**settings)
    assert "s3cret" not in str(caught.value)


async def test_a_function_that_makes_no_connector_is_refused() -> None:
    """When the session is opened."""
    with pytest.raises(UsageError, match="connector gave a str"):
        await session(connector=lambda: "tcp").open()


# --- the environment ---


async def test_the_environment_says_where_the_api_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless the program does."""
    async with Server([OK]) as server:
        monkeypatch.setenv("KANTATA_BASE_URL", server.url)
        async with KantataSession(token=TOKEN) as kantata:
            await kantata.request("GET", "/users/me")
        assert repr(kantata) == f"<KantataSession at {server.url}>"
    monkeypatch.setenv("KANTATA_BASE_URL", "http://elsewhere.example")
    with pytest.raises(UsageError, match="base_url must begin with https"):
        KantataSession(token=TOKEN)
    assert repr(session(API)) == f"<KantataSession at {API}>"


PROGRAM = """
import asyncio
from kantata_async import KantataSession
from wire import OK, TOKEN, Server

async def main():
    async with Server([OK, OK]) as server:
        for _ in range(2):
            async with KantataSession(token=TOKEN, base_url=server.url) as kantata:
                await kantata.request("GET", "/users/me")

asyncio.run(main())
"""


def test_the_environment_has_it_log(request: pytest.FixtureRequest) -> None:
    """To stderr, each line once, and without the token, in a program that sets up no logging itself."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "KANTATA_LOG": "debug", "PYTHONPATH": str(request.path.parent)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lines = ran.stderr.splitlines()
    assert [line.partition("DEBUG ")[2].split(" ")[:3] for line in lines] == [["GET", "/users/me", "200"]] * 2
    assert TOKEN not in ran.stderr


async def test_a_level_that_there_is_not_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the session is opened."""
    monkeypatch.setenv("KANTATA_LOG", "loud")
    with pytest.raises(UsageError, match="KANTATA_LOG must be one of debug, info, warning, not 'loud'"):
        await session().open()


# --- the same session seen otherwise ---


async def test_options_hold_for_the_calls_made_with_them() -> None:
    """Headers, time and attempts; the connections are the session's."""
    busy = json_answer({}, 500)
    async with (
        Server([OK, OK, busy, busy, busy, hang]) as server,
        session(server.url, headers={"X-Team": "a"}) as kantata,
    ):
        tried = kantata.with_options(headers={"X-Job": "b"}, retry=RetryPolicy(attempts=2, first_wait=0.001))
        for one in (kantata, tried):
            await one.request("GET", "/users")
        for one, times in ((tried, 2), (kantata, 1)):
            before = len(server.received)
            with pytest.raises(Exception, match="500"):
                await one.users.list().collect()
            assert len(server.received) - before == times
        with pytest.raises(RequestTimeoutError, match=r"within 0\.05 s"):
            await kantata.with_options(timeout=0.05).users.get(1)
    sent = [(request.headers.get("x-team"), request.headers.get("x-job")) for request in server.received]
    assert sent == [("a", None), ("a", "b"), ("a", "b"), ("a", "b"), ("a", None), ("a", None)]
    assert {request.connection for request in server.received} == {0}


async def test_a_header_that_is_a_secret_is_not_shown() -> None:
    """Should the server send it back, that of the session and that of a view."""
    refusal = json_answer({"errors": ["wrong gateway key g4teway-key, wrong token v1ew-token"]}, 403)
    async with (
        Server([refusal, refusal]) as server,
        session(server.url, headers={"X-Gateway-Key": "g4teway-key", "X-Team": "wrong"}) as kantata,
    ):
        view = kantata.with_options(headers={"X-Other-Token": "v1ew-token"})
        for one in (kantata, view):
            with pytest.raises(PermissionDeniedError, match=r"wrong gateway key \*\*\*, wrong token \*\*\*"):
                await one.request("GET", "/users")


async def test_options_share_limits_and_state() -> None:
    """It is the same session: one meter, one closing."""
    async with Server([OK, OK]) as server:
        kantata = session(server.url, rate_limit=RateLimit(1, per=3600))
        hurried = kantata.with_options(timeout=5).with_options(priority="high")
        with pytest.raises(UsageError, match="not open"):
            await hurried.request("GET", "/users")
        async with kantata:
            await hurried.request("GET", "/users")
            assert kantata.limits.keys() == hurried.limits.keys()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await kantata.request("GET", "/users")
        with pytest.raises(UsageError, match="closed"):
            await hurried.request("GET", "/users")


async def test_an_urgent_view_goes_before_others() -> None:
    """Whatever stands in line already."""
    go = asyncio.Event()

    async def when_all_wait(connection: Connection) -> None:
        await go.wait()
        await connection.say(OK)

    async with Server([when_all_wait, *[OK] * 5]) as server, session(server.url, concurrency=1) as kantata:
        urgent = kantata.with_options(priority="high")
        waiting = [asyncio.create_task(kantata.request("GET", f"/users/{number}")) for number in range(5)]
        await until(lambda: len(server.received) == 1)
        waiting.append(asyncio.create_task(urgent.request("GET", "/users/me")))
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(*waiting)
    assert [request.target.rpartition("/")[2] for request in server.received][1] == "me"


@pytest.mark.parametrize(
    "options", [{"timeout": 0}, {"retry": 3}, {"headers": {"a": 5}}, {"priority": "urgent"}], ids=repr
)
def test_an_option_that_cannot_be_right_is_refused(options: dict[str, Any]) -> None:
    """When the view is made."""
    with pytest.raises(UsageError, match=next(iter(options))):
        session().with_options(**options)
