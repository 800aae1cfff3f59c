"""Requests to an authorization server, outside any session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from ..errors import SignInError
from .hidden import HiddenForm
from .network import Network

_SECONDS: Final = 30
_MOST_BYTES: Final = 1 << 16

OAUTH_REFUSALS: Final[Mapping[str, str]] = {
    "access_denied": "the person did not agree",
    "invalid_client": "the server does not know the application, or not with this secret",
    "invalid_grant": "the code or the token has expired, was used already, or belongs to another application",
    "invalid_request": "the server cannot read the request",
    "invalid_scope": "the server does not give what was asked for",
    "server_error": "the server failed",
    "temporarily_unavailable": "the server is too busy; try again later",
    "unauthorized_client": "the application may not sign in in this way",
    "unsupported_grant_type": "the server does not give tokens in this way",
    "unsupported_response_type": "the server does not sign anyone in in this way",
}
"""The reasons that an authorization server may give (RFC 6749, 4.1.2.1 and 5.2), and what they mean.

Whatever else it says is not shown: it may quote what it was sent, and with it a code or a secret."""


async def answer_to(
    method: str,
    url: str | URL,
    network: Network = Network(),  # noqa: B008 - frozen
    **sent: Any,
) -> tuple[int, bytes]:
    """The status and the body of the answer to a request over a network; no redirect is followed.

    Raises:
        UsageError: the proxy or the connector cannot be used.
        aiohttp.ClientError: there is no answer.
        TimeoutError: it did not come in time.
    """
    proxy = network.proxy_to(URL(url))
    if proxy is not None:
        sent["proxy"] = proxy.url
        if proxy.authorization is not None:
            sent["proxy_headers"] = {"Proxy-Authorization": proxy.authorization}
    connector, owned = network.connector_or(aiohttp.TCPConnector)
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    async with (
        aiohttp.ClientSession(connector=connector, connector_owner=owned, timeout=timeout) as client,
        client.request(method, url, allow_redirects=False, ssl=network.ssl or True, **sent) as response,
    ):
        return response.status, await response.content.read(_MOST_BYTES)


async def post_form(
    url: str,
    form: HiddenForm,
    network: Network = Network(),  # noqa: B008 - frozen
) -> tuple[int, str]:
    """The status and the text of the answer to a form, sent over a network.

    Raises:
        SignInError: the server cannot be reached.
        UsageError: the proxy or the connector cannot be used.
    """
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    try:
        status, content = await answer_to("POST", url, network, data=urlencode(form.fields), headers=headers)
    except (aiohttp.ClientError, TimeoutError) as error:
        failed = type(error).__name__
    else:
        return status, content.decode(errors="replace")
    # Raised outside the handler: the error above may hold the form, and with it a code or a token.
    raise SignInError(f"the authorization server cannot be reached: {failed}")
