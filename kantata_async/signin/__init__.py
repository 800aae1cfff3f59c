"""Signing in: an access token by OAuth 2.0's authorization code with PKCE, and where it is kept.

server        the three addresses of an authorization server, known or discovered
application   what signs in, and the address to which it sends a person
asking        one request outside any session
exchange      an authorization code for a token, and a token given back
loopback      the redirect received on this machine
"""

from __future__ import annotations

from ..transport import Profile, chosen_profile, delete_profile, load_profile, profile_names, save_profile
from .application import Application, Authorization, SignInError
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
