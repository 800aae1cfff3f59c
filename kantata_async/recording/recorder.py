"""vcrpy, set up so that what it keeps was scrubbed first."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike, fspath
from typing import TYPE_CHECKING, Literal

from ..extras import from_extra
from .traffic import ScrubbedTraffic

if TYPE_CHECKING:
    from vcr import VCR

WhenToRecord = Literal["once", "none", "new_episodes", "all"]


def recorder(
    folder: str | PathLike[str], *, record: WhenToRecord = "once", keep: Iterable[str] = (), keep_files: bool = False
) -> VCR:
    """A recorder whose cassettes hold no token and nothing personal: ``recorder("cassettes").use_cassette("team")``.

    Inside the block, requests that were recorded are answered from the cassette, and nothing is sent for them. What is
    kept are ids, counts, times, the values of the API's closed lists, and the attributes in `keep`. Every other text is
    replaced, by the id of its object, and every other number by 100, so that the same answer always reads the same.
    A download is answered again too: with as many asterisks as the file has bytes.

    Args:
        folder: where the cassettes are.
        record: as vcrpy's `record_mode`: "once", "none" (for CI: an unknown request fails), "new_episodes" or "all".
        keep: the names of attributes whose values may be kept, as ``["title"]``.
        keep_files: whether downloaded files are kept as they were sent. Large ones make large cassettes either way.

    Raises:
        UsageError: vcrpy is not installed.
    """
    with from_extra("recording", "recording"):
        from vcr import VCR  # noqa: PLC0415 - an extra
        from vcr.record_mode import RecordMode  # noqa: PLC0415 - as above
    traffic = ScrubbedTraffic(frozenset(keep), keep_files=keep_files)
    return VCR(
        cassette_library_dir=fspath(folder),
        path_transformer=VCR.ensure_suffix(".yaml"),
        record_mode=RecordMode(record),
        match_on=("method", "path", "query", "body"),
        decode_compressed_response=True,
        before_record_request=traffic.request,
        before_record_response=traffic.answer,
    )
