"""From the bytes of an answer to linked entities.

envelope        an answer checked and taken apart
careful         entities made of objects whatever they carry
learnt_answer   how answers were laid out so far
learnt_object   what the objects of a collection are sent with
compiled        functions that make entities of such objects
absorbing       an answer taken into a graph
gc_pause        the garbage collector kept from looking where nothing can be
reader          all of it: from bytes to a page
"""

from __future__ import annotations

from .careful import Maker, Rest
from .envelope import ClassOf, Envelope
from .gc_pause import collector_paused
from .reader import Reader

__all__ = [
    "ClassOf",
    "Envelope",
    "Maker",
    "Reader",
    "Rest",
    "collector_paused",
]
