"""What iterating a list or a feed gives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Coroutine
from typing import Any, Protocol, TypeVar

E_co = TypeVar("E_co", covariant=True)


class EntityStream(Protocol[E_co]):
    """Entities as they come; closing it ends the reading before the last.

    jedi, which completes in Jupyter, understands this, and not what an asynchronous generator is annotated with.
    """

    def __aiter__(self) -> AsyncIterator[E_co]:
        """The stream itself."""
        ...

    def __anext__(self) -> Awaitable[E_co]:
        """The next entity.

        Raises:
            StopAsyncIteration: there are no more.
        """
        ...

    def aclose(self) -> Coroutine[Any, Any, None]:
        """End the reading."""
        ...
