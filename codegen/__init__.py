"""Turns the catalogue into `kantata_async/api/` and `kantata_async/entities.py`; `nox -s generate` runs it."""
