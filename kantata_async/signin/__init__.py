"""Signing in: an access token by OAuth 2.0's authorization code with PKCE, and where it is kept.

server        the three addresses of an authorization server, known or discovered
application   what signs in, and the address to which it sends a person
exchange      an authorization code for a token, and a token given back
loopback      the redirect received on this machine
"""

from __future__ import annotations

from ..errors import SignInError
from ..transport import Profile, chosen_profile, delete_profile, load_profile, profile_names, save_profile

try:
    import oauthlib as _oauthlib  # noqa: F401 - an extra
except ModuleNotFoundError as error:
    _needed = "signing in needs oauthlib: pip install 'kantata-async[signin]'"
    raise ModuleNotFoundError(_needed, name=error.name) from None

from .application import Application, Authorization
from .exchange import AccessToken, exchange, revoke
from .loopback import receive_redirect
from .server import KANTATA, AuthorizationEndpoints, discover

__all__ = [
    "KANTATA",
    "AccessToken",
    "Application",
    "Authorization",
    "AuthorizationEndpoints",
    "Profile",
    "SignInError",
    "chosen_profile",
    "delete_profile",
    "discover",
    "exchange",
    "load_profile",
    "profile_names",
    "receive_redirect",
    "revoke",
    "save_profile",
]
