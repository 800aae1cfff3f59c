"""CSV files that come with a request."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any, Final

from ..refusals import invalid
from ..uploads import UploadedFile

MAX_CSV_ROWS: Final = 5000


def csv_rows(upload: Any, columns: Mapping[str, str]) -> list[dict[str, str]]:
    """The rows of an uploaded CSV file, by attribute.

    Raises:
        Refusal: 422 when the file is missing, or is not a CSV file with these attributes.
    """
    if not isinstance(upload, UploadedFile):
        raise invalid("The file is missing")
    try:
        rows = list(csv.DictReader(io.StringIO(upload.content.decode("utf-8-sig"))))
    except UnicodeDecodeError:
        raise invalid("The file is not UTF-8 text") from None
    if len(rows) > MAX_CSV_ROWS:
        raise invalid(f"At most {MAX_CSV_ROWS} rows can be imported at once")
    lacking = [name for name in columns if not all(row.get(name) for row in rows)]
    if lacking or not rows:
        raise invalid(f"The file lacks {', '.join(lacking) or 'rows'}")
    return [{attribute: str(row[name]) for name, attribute in columns.items()} for row in rows]
