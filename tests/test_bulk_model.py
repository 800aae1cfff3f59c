"""Bulk writes against an API of another make, one seed of what ``python -m chaos bulk`` does at length."""

from __future__ import annotations

import pytest

from chaos import _bulk_model


@pytest.mark.parametrize("how", _bulk_model.HOWS)
async def test_every_outcome_is_as_the_model_knows(how: str) -> None:
    """Whatever its manners and whatever interrupts it: each row told of once, nothing twice, nothing told wrongly."""
    outcomes = await _bulk_model.run(3, how, rows=150)
    assert outcomes.total() > 0
