"""Uploads, downloads, and waiting for what the server makes.

names         names of files, made safe
ranges        what to ask for after a file broke off
destinations  where a download goes
downloading   one file from a link to its destination
sources       what is uploaded
uploading     direct uploads, past the API
waiting       looking again and again until something is there
"""

from __future__ import annotations

from .destinations import DownloadTo, destination_of
from .downloading import DownloadedFile, OnProgress, WantedFile, download
from .names import plain_name
from .sources import UploadFrom, content_of
from .uploading import ask_for_place, put_there
from .waiting import OnState, Standing, standing_of, wait

__all__ = [
    "DownloadTo",
    "DownloadedFile",
    "OnProgress",
    "OnState",
    "Standing",
    "UploadFrom",
    "WantedFile",
    "ask_for_place",
    "content_of",
    "destination_of",
    "download",
    "plain_name",
    "put_there",
    "standing_of",
    "wait",
]
