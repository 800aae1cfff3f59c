"""Names of files as servers give them, made safe for any file system. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from email.message import Message
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import unquote

from yarl import URL

NAMELESS: Final = "download"
_LONGEST: Final = 200
"""Bytes: file systems take 255, and a name may yet get a number, or the beginning of a temporary one."""

_LONGEST_SUFFIX: Final = 20
_FORBIDDEN: Final = re.compile(r'[<>:"|?*]')
_COMPRESSED: Final = frozenset({".bz2", ".gz", ".xz", ".zst"})
_RESERVED: Final = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    | {f"{device}{digit}" for device in ("COM", "LPT") for digit in "0123456789¹²³"}
)
"""Names of devices on Windows, whatever suffix follows."""


def safe_name(name: str) -> str:
    """A name that leads nowhere else, is shown as it is, and can be written on any file system; "download" for none."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    visible = "".join(one for one in last if unicodedata.category(one)[0] != "C")
    plain = _FORBIDDEN.sub("_", visible).strip().lstrip(".").rstrip(". ")
    if plain.split(".")[0].rstrip().upper() in _RESERVED or plain.startswith("-"):
        plain = f"_{plain}"
    return _shortened(plain.lstrip()) or NAMELESS


def numbered(name: str, number: int) -> str:
    """The name for another file that would have the same one: "plan.pdf", then "plan (2).pdf"."""
    if number == 1:
        return name
    stem, suffix = _parted(name)
    return f"{stem} ({number}){suffix}"


def plain_name(name: str) -> str:
    """A name of letters, digits, dots, dashes and underscores, as direct uploads need it."""
    ascii_only = unicodedata.normalize("NFKD", safe_name(name)).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._-]+", "_", ascii_only).strip("_.") or NAMELESS


def name_of(headers: Mapping[str, str], url: URL) -> str:
    """The name that an answer gives its file, else the last segment of its URL; not yet safe."""
    message = Message()
    message["content-disposition"] = headers.get("content-disposition", "").replace("\r", " ").replace("\n", " ")
    try:
        given = message.get_filename()
    except (LookupError, UnicodeError, ValueError):
        given = None
    return given or unquote(url.raw_name)


def _parted(name: str) -> tuple[str, str]:
    """The stem and the suffix of a name; that of a compressed file includes what it was."""
    path = PurePosixPath(name)
    suffixes = path.suffixes[-2:] if path.suffix.lower() in _COMPRESSED else path.suffixes[-1:]
    suffix = "".join(suffixes)
    if len(suffix.encode()) > _LONGEST_SUFFIX:
        suffix = ""
    return name.removesuffix(suffix) if suffix else name, suffix


def _shortened(name: str) -> str:
    """A name cut to as many bytes as it may have, with its suffix kept."""
    if len(name.encode()) <= _LONGEST:
        return name
    stem, suffix = _parted(name)
    return stem.encode()[: _LONGEST - len(suffix.encode())].decode(errors="ignore").rstrip() + suffix
