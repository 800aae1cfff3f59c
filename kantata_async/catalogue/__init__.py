"""The facts of the API: 419 operations and 129 definitions, from which `api/` is generated and the sandbox answers.

`catalogue.json` is what programs read. It is made by `nox -s generate` from the YAML beside it: `definitions.yaml` and
`operations/` are the description as published, `corrections.yaml` the corrections where it contradicts itself.
"""

from __future__ import annotations

from .loader import load
from .model import Catalogue, CatalogueAssociation, CatalogueOperation, Definition, Field, SortOrder, Type

__all__ = [
    "Catalogue",
    "CatalogueAssociation",
    "CatalogueOperation",
    "Definition",
    "Field",
    "SortOrder",
    "Type",
    "load",
]
