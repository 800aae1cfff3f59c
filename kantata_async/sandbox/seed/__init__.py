"""A believable company of any size, the same for the same seed."""

from __future__ import annotations

from .founding import found

__all__ = ["found"]
