"""The way through the network: a proxy, certificates, the program's own connector."""

from __future__ import annotations

import base64
import inspect
import ssl as tls
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote

import aiohttp
import attrs
from yarl import URL

from ..callables import check_function
from ..errors import UsageError
from ..model import brief_repr
from .environment import proxy_of_environment

Connector = aiohttp.BaseConnector | Callable[[], aiohttp.BaseConnector]
"""An aiohttp connector, which its maker closes; or a function that makes one for the session."""

_PROXY_SCHEMES: Final = ("http", "https")
_HOW_ELSE: Final = "for any other kind of proxy pass a connector=, such as aiohttp-socks makes"


@attrs.frozen
class Network:
    """How the server is reached.

    Attributes:
        proxy: the URL of the proxy, with a user and a password where it needs them.
        trust_env: whether HTTPS_PROXY, ALL_PROXY and NO_PROXY of the environment are honoured where no proxy is given.
        ssl: which certificates are trusted, and which one is presented; None for those that the system trusts.
        connector: makes the connections instead of the session's own.

    Raises:
        UsageError: a setting cannot be used.
    """

    proxy: str | None = attrs.field(default=None, repr=False)
    trust_env: bool = True
    ssl: tls.SSLContext | None = None
    connector: Connector | None = None

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.trust_env, bool):
            raise UsageError(f"KantataSession: trust_env must be True or False, not {brief_repr(self.trust_env)}")
        if not isinstance(self.ssl, tls.SSLContext | None):
            raise UsageError("KantataSession: ssl must be an ssl.SSLContext: ssl.create_default_context(cafile=…)")
        if self.ssl is not None and self.ssl.protocol is tls.PROTOCOL_TLS_SERVER:
            raise UsageError("KantataSession: ssl is a server's: a client's is ssl.create_default_context(cafile=…)")
        if not isinstance(self.connector, aiohttp.BaseConnector | None):
            if not callable(self.connector):
                raise UsageError("KantataSession: connector must be an aiohttp connector, or a function that makes one")
            check_function("KantataSession", "connector", self.connector)
        if self.proxy is not None:
            read_proxy(self.proxy, "proxy")

    def proxy_to(self, base_url: URL) -> Proxy | None:
        """The proxy on the way to a server; None for none.

        Raises:
            UsageError: the proxy cannot be used.
        """
        if self.proxy is not None:
            if base_url.scheme != "https":
                raise UsageError("KantataSession: proxy= is only for https: with plain http it would see the token")
            return read_proxy(self.proxy, "proxy")
        found = proxy_of_environment(base_url) if self.trust_env else None
        return None if found is None else read_proxy(found, "HTTPS_PROXY or ALL_PROXY")

    def connector_or(self, make: Callable[[], aiohttp.BaseConnector]) -> tuple[aiohttp.BaseConnector, bool]:
        """The connector to use, and whether the session closes it.

        Raises:
            UsageError: the program's function made something that is not a connector, or it is closed.
        """
        is_ours = not isinstance(self.connector, aiohttp.BaseConnector)
        made: object = self.connector
        if self.connector is None:
            made = make()
        elif not isinstance(self.connector, aiohttp.BaseConnector):
            made = self.connector()
        if not isinstance(made, aiohttp.BaseConnector):
            if inspect.iscoroutine(made):
                made.close()
            raise UsageError(f"KantataSession: connector gave a {type(made).__name__}, not an aiohttp connector")
        if made.closed:
            raise UsageError("KantataSession: the connector is closed already")
        return made, is_ours


@attrs.frozen
class Proxy:
    """A proxy: its address, and the credentials that it gets."""

    url: URL
    authorization: str | None = attrs.field(default=None, repr=False)
    password: str | None = attrs.field(default=None, repr=False)


def read_proxy(text: object, source: str) -> Proxy:
    """The proxy that a URL names.

    Raises:
        UsageError: the URL names no proxy that can be used; a password in it is not shown.
    """
    try:
        # Whatever else there is, the URL would be made without it, or nobody could resolve its host.
        url = URL(text) if isinstance(text, str) and text.isprintable() and " " not in text else None
        host = None if url is None else url.host
        (host or "").encode("idna")
    except ValueError:
        url = host = None
    if url is None or not host:
        raise UsageError(f"{source} must be a URL: http://proxy.example:3128")
    if url.scheme not in _PROXY_SCHEMES:
        raise UsageError(f"{source} begins with {url.scheme[:20]}://, but must be http or https; {_HOW_ELSE}")
    if url.raw_path not in ("", "/") or url.raw_query_string or url.raw_fragment:
        raise UsageError(f"{source} must name a host and a port, and no path")
    if url.raw_user is None and url.raw_password is None:
        return Proxy(url.origin())
    user, password = unquote(url.raw_user or ""), unquote(url.raw_password or "")
    if ":" in user:
        raise UsageError(f"{source} has a user name with a colon, which cannot be told from a password")
    credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
    return Proxy(url.origin(), f"Basic {credentials}", password or None)
