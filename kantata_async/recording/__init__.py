"""Real traffic recorded once and replayed in tests, without secrets and personal data.

scrubbing   pure: a URL, a header or a body as it may be kept
traffic     requests and answers in their order, and the links that lead from one to the next
recorder    vcrpy, set up so that nothing else reaches a file
"""

from __future__ import annotations

from .recorder import recorder

__all__ = ["recorder"]
