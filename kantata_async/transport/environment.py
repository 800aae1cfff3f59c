"""Settings in the environment: where the API is, which proxy leads there, what is logged. The token is in `auth`."""

from __future__ import annotations

import logging
import os
from typing import Final
from urllib.request import getproxies, proxy_bypass

from yarl import URL

from ..errors import UsageError
from .no_proxy import is_left_out

BASE_URL: Final = "https://api.mavenlink.com/api/v1"
BASE_URL_VARIABLE: Final = "KANTATA_BASE_URL"
LOG_VARIABLE: Final = "KANTATA_LOG"

_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}


def base_url_of_environment() -> str:
    """The base URL that KANTATA_BASE_URL names, else Kantata's own."""
    return os.environ.get(BASE_URL_VARIABLE) or BASE_URL


def proxy_of_environment(base_url: URL) -> str | None:
    """The proxy that HTTPS_PROXY or ALL_PROXY names, unless NO_PROXY names the server; None for none.

    Where the environment says nothing, the settings of macOS and Windows do. Plain http goes to this very machine only,
    and so never through a proxy, which would see the token.
    """
    if base_url.scheme != "https":
        return None
    proxies = getproxies()
    proxy = proxies.get("https") or proxies.get("all")
    if not proxy:
        return None
    no_proxy = proxies.get("no")
    left_out = is_left_out(base_url, no_proxy) if no_proxy else proxy_bypass(f"{base_url.host}:{base_url.port}")
    if left_out:
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def log_as_the_environment_says() -> None:
    """Log to stderr if KANTATA_LOG names the lowest level to show.

    Raises:
        UsageError: KANTATA_LOG holds something else.
    """
    wanted = os.environ.get(LOG_VARIABLE)
    if not wanted:
        return
    level = _LEVELS.get(wanted.lower())
    if level is None:
        raise UsageError(f"{LOG_VARIABLE} must be one of {', '.join(_LEVELS)}, not {wanted[:100]!r}")
    logger = logging.getLogger("kantata_async")
    logger.setLevel(level)
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
        logger.addHandler(handler)
