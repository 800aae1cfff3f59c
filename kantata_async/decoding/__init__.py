"""From the bytes of an answer to linked entities.

compiled        functions that make entities of the values of their attributes
object_layout   which attributes the objects of a class are sent with
object_values   the values of objects, read
envelope        an answer checked and taken apart
answer_layout   how answers were laid out so far, and what decodes the next
absorbing       an answer taken into a graph
gc_pause        the garbage collector paused while there can be no garbage
reader          from bytes to a page
"""

from __future__ import annotations

from .envelope import ClassOf, Envelope
from .gc_pause import collector_paused
from .object_layout import forget_layouts
from .reader import Reader

__all__ = [
    "ClassOf",
    "Envelope",
    "Reader",
    "collector_paused",
    "forget_layouts",
]
