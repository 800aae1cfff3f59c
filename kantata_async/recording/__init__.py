"""Real traffic recorded once and replayed in tests, without secrets and personal data.

scrubbing   pure: a request or an answer as it may be kept
recorder    vcrpy, set up so that nothing else reaches a file
"""

from __future__ import annotations

from .recorder import recorder

__all__ = ["recorder"]
