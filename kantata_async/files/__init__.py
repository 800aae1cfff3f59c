"""Uploads, downloads, and waiting for what the server makes.

names         names of files, made safe
ranges        what to ask for after a file broke off
destinations  where a download goes
progress      how far a file has come, as reported to the program
downloading   one file from a link to its destination
sources       what is uploaded
uploading     direct uploads, past the API
waiting       looking again and again until something is there
"""

from __future__ import annotations

from .destinations import DownloadTo
from .downloading import DownloadedFile, OnProgress, WantedFile, checked_destination, download
from .names import plain_name
from .progress import ToldProgress
from .sources import UploadFrom, content_of
from .uploading import ask_for_place, put_there
from .waiting import OnState, Standing, check_wait, standing_of, wait

__all__ = [
    "DownloadTo",
    "DownloadedFile",
    "OnProgress",
    "OnState",
    "Standing",
    "ToldProgress",
    "UploadFrom",
    "WantedFile",
    "ask_for_place",
    "check_wait",
    "checked_destination",
    "content_of",
    "download",
    "plain_name",
    "put_there",
    "standing_of",
    "wait",
]
