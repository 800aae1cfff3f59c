"""A form sent to an authorization server, outside any session."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

import aiohttp

from ..errors import SignInError
from .hidden import HiddenForm

_SECONDS: Final = 30
_MOST_BYTES: Final = 1 << 16


async def post_form(url: str, form: HiddenForm) -> tuple[int, str]:
    """The status and the text of the answer to a form.

    Raises:
        SignInError: the server cannot be reached.
    """
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS)) as client,
            client.post(url, data=urlencode(form.fields), headers=headers, allow_redirects=False) as response,
        ):
            content = await response.content.read(_MOST_BYTES)
            return response.status, content.decode(errors="replace")
    except (aiohttp.ClientError, TimeoutError) as error:
        failed = type(error).__name__
    raise SignInError(f"the authorization server cannot be reached: {failed}")
