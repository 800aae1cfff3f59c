"""The facts of the API: 419 operations and 129 definitions, from which `api/` is generated and the sandbox answers.

`definitions.yaml` and `operations/` are the description as read, `corrections.yaml` what was decided where it
contradicts itself; `load` gives both as one `Catalogue`. Reading it needs PyYAML (``kantata-async[sandbox]``).
"""

from __future__ import annotations

from .loader import load
from .model import Association, Catalogue, Definition, Operation, Order
from .notation import Field, Type

__all__ = ["Association", "Catalogue", "Definition", "Field", "Operation", "Order", "Type", "load"]
