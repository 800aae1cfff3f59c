"""``python -m kantata_async``: the same as ``kantata-async``."""

from __future__ import annotations

import sys

from .cli import main

sys.exit(main())
