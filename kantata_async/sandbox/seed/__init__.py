"""A believable company of any size, the same for the same seed.

founding       its people, projects, teams and work
custom_fields  its custom fields, and their values
filling        a few records of every other kind, so that no list is empty
names          the names of its people, clients and work
"""

from __future__ import annotations

from .founding import found

__all__ = ["found"]
