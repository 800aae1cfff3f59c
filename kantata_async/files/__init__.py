"""Files up and down, and waiting for what the server makes.

names         names of files, made safe
ranges        what to ask for after a file broke off
targets       where a download goes
downloading   one file from a link to its target
sources       what is uploaded
uploading     direct uploads, past the API
waiting       looking again and again until something is there
"""

from __future__ import annotations

from .downloading import DownloadedFile, OnProgress, Wanted, download
from .names import plain_name
from .sources import UploadFrom, content_of
from .targets import DownloadTo, target_of
from .uploading import ask_for_place, put_there
from .waiting import LONGEST_WAIT, OnState, Standing, standing_of, wait

__all__ = [
    "LONGEST_WAIT",
    "DownloadTo",
    "DownloadedFile",
    "OnProgress",
    "OnState",
    "Standing",
    "UploadFrom",
    "Wanted",
    "ask_for_place",
    "content_of",
    "download",
    "plain_name",
    "put_there",
    "standing_of",
    "target_of",
    "wait",
]
