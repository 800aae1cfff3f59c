"""Bulk writes against an API of another make, a few seeds of what ``python -m chaos bulk`` does at length."""

from __future__ import annotations

import pytest

from chaos import _bulk_model


@pytest.mark.parametrize("how", _bulk_model.HOWS)
@pytest.mark.parametrize("seed", [3, 5])
async def test_every_outcome_is_as_the_model_knows(seed: int, how: str) -> None:
    """Whatever its manners and whatever interrupts it: each row told of once, nothing twice, nothing told wrongly."""
    outcomes = await _bulk_model.run(seed, how, rows=150)
    assert outcomes.total() > 0
