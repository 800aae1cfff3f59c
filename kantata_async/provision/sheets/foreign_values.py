"""Values of pandas and numpy as the Python values that they look like: pure, and without importing either."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum
from types import NoneType
from typing import Any, Final

_PLAIN: Final = frozenset({str, int, bool, NoneType})
_MISSING: Final = frozenset({"NAType", "NaTType"})
_INSTANTS: Final = "datetime64[us]"


def plain_value(value: Any) -> Any:
    """The value without what is another library's: None for NaN, NaT and NA, an int for ``np.int64``.

    Decimals and floats that are no number are None too, a ``Timestamp`` is a datetime, an array a list, the member of
    an enumeration its value. Anything else is given back as it is.
    """
    if type(value) in _PLAIN:
        return value
    if isinstance(value, Enum):
        return plain_value(value.value)
    library = type(value).__module__.partition(".")[0]
    if library in _LIBRARIES:
        value = _LIBRARIES[library](value)
    if isinstance(value, float):
        return None if math.isnan(value) else float(value)
    if isinstance(value, Decimal) and value.is_nan():
        return None
    return value


def _of_pandas(value: Any) -> Any:
    if type(value).__name__ in _MISSING:
        return None
    return value.to_pydatetime(warn=False) if type(value).__name__ == "Timestamp" else value


def _of_numpy(value: Any) -> Any:
    if getattr(getattr(value, "dtype", None), "kind", "") == "M":
        return value.astype(_INSTANTS).tolist()
    return value.tolist() if hasattr(value, "tolist") else value


_LIBRARIES: Final[Mapping[str, Callable[[Any], Any]]] = {"pandas": _of_pandas, "numpy": _of_numpy}
