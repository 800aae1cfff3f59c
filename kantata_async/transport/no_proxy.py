"""Which servers NO_PROXY names, to be reached without the proxy: by name, address or range of addresses. Pure."""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from yarl import URL

_SEPARATORS: Final = re.compile(r"[\s,]+")
_SCHEME: Final = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<server>.*?)/?")
_PORT: Final = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*):(?P<port>\d{1,5})")


def is_left_out(server: URL, no_proxy: str) -> bool:
    """Whether NO_PROXY names a server.

    Args:
        server: the URL of the server.
        no_proxy: the value of NO_PROXY, divided by commas or spaces. `*` stands for every server, a name for the host
            and all below it, `10.0.0.0/8` for a range of addresses; each may have a port, and a scheme in front.
            Names are not looked up: a range leaves out only the servers that are given by their addresses.
    """
    return any(_names(entry, server) for entry in _SEPARATORS.split(no_proxy.lower()) if entry)


def _names(entry: str, server: URL) -> bool:
    if entry == "*":
        return True
    if with_scheme := _SCHEME.fullmatch(entry):
        if with_scheme["scheme"] not in (server.scheme, "all"):
            return False
        entry = with_scheme["server"]
    if with_port := _PORT.fullmatch(entry):
        if int(with_port["port"]) != server.port:
            return False
        entry = with_port["host"]
    address = _address(server.host or "")
    return _is_below(server, entry) if address is None else _is_within(address, entry)


def _is_within(address: IPv4Address | IPv6Address, entry: str) -> bool:
    with suppress(ValueError):
        return address in ip_network(entry.replace("[", "").replace("]", ""), strict=False)
    return False


def _is_below(server: URL, entry: str) -> bool:
    parent = entry.removeprefix("*").strip(".")
    names = {name.rstrip(".").lower() for name in (server.host, server.raw_host) if name}
    return bool(parent) and any(name == parent or name.endswith(f".{parent}") for name in names)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is given by, without its zone; one of IPv4 written as IPv6 as that of IPv4."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
