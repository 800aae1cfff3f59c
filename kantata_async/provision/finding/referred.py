"""Objects by their external references: one request for 100 references of a service and model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

from ...calls import ListQuery, in_batches
from ...model import Entity

E = TypeVar("E", bound=Entity)

_MANY: Final = 100
"""References in one request: 200 would be taken, but make the URL longer than servers like."""


async def find_referred(query: Callable[..., ListQuery[E]], references: Sequence[str]) -> dict[str, list[E]]:
    """The objects that have each reference, ``service:model:ref``."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for reference in references:
        service, model, ref = reference.split(":", 2)
        groups[service, model].append(ref)
    held: dict[str, list[E]] = defaultdict(list)
    for (service, model), refs in groups.items():
        for batch in in_batches(refs, _MANY):
            found = await query(
                external_reference_service_name=service,
                external_reference_service_model=model,
                external_reference_service_model_refs=list(batch),
            )
            for one in found:
                for key in references_of(one) or ():
                    held[key].append(one)
            if any(references_of(one) is None for one in found):
                held |= await _one_by_one(query, service, model, batch)
    return held


async def _one_by_one(
    query: Callable[..., ListQuery[E]], service: str, model: str, refs: Sequence[str]
) -> dict[str, list[E]]:
    """The objects of each reference, asked for one by one, as the objects do not show their references."""
    return {
        f"{service}:{model}:{ref}": await query(
            external_reference_service_name=service,
            external_reference_service_model=model,
            external_reference_service_model_refs=[ref],
        )
        for ref in refs
    }


def references_of(entity: Any) -> frozenset[str] | None:
    """The external references of an entity; None where they are not shown."""
    references: Iterable[Any] | None = getattr(entity, "external_references", None)
    if references is None:
        return None
    return frozenset(
        ":".join(str(getattr(one, name, "")) for name in ("service_name", "service_model", "service_model_ref"))
        for one in references
    )
