"""A sandbox in a separate thread, for synchronous programs and tests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

import attrs

from ..backend import Clock, Store, Switches
from .authorization import AuthorizationServer
from .faults import Faults
from .limits import ServerRateLimit
from .log import LoggedRequest

if TYPE_CHECKING:
    from .sandbox import Sandbox

T = TypeVar("T")
Carrier = Callable[[Callable[[], Any]], Any]


class ThreadedSandbox:
    """A `Sandbox` that answers from a separate thread, with the same properties and methods, safe from any thread.

    What is read from it (`store`, `requests`, `faults`) is as it was at that moment.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    def __repr__(self) -> str:
        return f"<ThreadedSandbox {self.url}>"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen.

        Raises:
            OSError: the port is taken.
            RuntimeError: it listens already.
        """
        if self._thread is not None:
            raise RuntimeError("the sandbox has been started already")
        started = Future[None]()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(started)), name="kantata sandbox", daemon=True
        )
        self._thread.start()
        try:
            started.result()
        except BaseException:
            self._join()
            raise

    def stop(self) -> None:
        """Stop listening, end what still hangs, and wait for the thread; a second call does nothing."""
        if self._loop is not None and self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._join()

    async def _serve(self, started: Future[None]) -> None:
        stopping = asyncio.Event()
        try:
            await self._sandbox.start()
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread that waits for the start
            started.set_exception(error)
            return
        self._loop, self._stopping = asyncio.get_running_loop(), stopping
        started.set_result(None)
        await stopping.wait()
        await self._sandbox.stop()

    def _join(self) -> None:
        if self._thread is not None:
            self._thread.join()
        self._thread = self._loop = self._stopping = None

    def _carry_out(self, action: Callable[[], T]) -> T:
        """The result of an action, carried out in the sandbox's thread while that runs."""
        if self._loop is None:
            return action()

        async def carry_out() -> T:
            return action()

        return asyncio.run_coroutine_threadsafe(carry_out(), self._loop).result()

    @property
    def url(self) -> str:
        """The base URL for a client."""
        return self._sandbox.url

    @property
    def storage_url(self) -> str:
        """Where files are served and direct uploads are taken."""
        return self._sandbox.storage_url

    def make_file(self, attachment: str, size: int) -> None:
        """Give an attachment a file of so many bytes, which are made as they are read."""
        self._carry_out(lambda: self._sandbox.make_file(attachment, size))

    @property
    def page_url(self) -> str:
        """The address of its page for the browser."""
        return self._sandbox.page_url

    @property
    def token(self) -> str:
        """The bearer token that it takes."""
        return self._sandbox.token

    @property
    def store(self) -> Store:
        """The records behind the API; each call is carried out between two requests."""
        return cast("Store", _Carried(self._sandbox.store, self._carry_out))

    @property
    def faults(self) -> Faults:
        """The faults still to come."""
        return cast("Faults", _Carried(self._sandbox.faults, self._carry_out))

    @property
    def clock(self) -> Clock:
        """The server's clock."""
        return cast("Clock", _Carried(self._sandbox.clock, self._carry_out))

    @property
    def authorization(self) -> AuthorizationServer:
        """Which tokens were issued and revoked."""
        return cast("AuthorizationServer", _Carried(self._sandbox.authorization, self._carry_out))

    @property
    def latency(self) -> float:
        """Seconds added to every answer."""
        return self._sandbox.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self._sandbox.latency = seconds

    @property
    def switches(self) -> Switches:
        """The switches of the server's behaviour; they may be changed at any time."""
        return self._sandbox.switches

    @switches.setter
    def switches(self, switches: Switches) -> None:
        self._carry_out(lambda: setattr(self._sandbox, "switches", switches))

    @property
    def rate_limits(self) -> tuple[ServerRateLimit, ...]:
        """The limits in force; setting them forgets what was used of the old ones."""
        return self._sandbox.rate_limits

    @rate_limits.setter
    def rate_limits(self, limits: Iterable[ServerRateLimit]) -> None:
        self._carry_out(lambda: setattr(self._sandbox, "rate_limits", limits))

    @property
    def requests(self) -> list[LoggedRequest]:
        """Every request since the log was last cleared, in the order in which they came."""
        return self._carry_out(lambda: [attrs.evolve(request) for request in self._sandbox.requests])

    @property
    def committed(self) -> int:
        """How many writes in the log were carried out."""
        return self._carry_out(lambda: self._sandbox.committed)

    @property
    def filters_without_effect(self) -> tuple[tuple[str, str], ...]:
        """The (path, filter) pairs that are taken and change nothing."""
        return self._sandbox.filters_without_effect

    def count(self, method: str | None = None, path: str | None = None) -> int:
        """How many requests the log has of a method and a path."""
        return self._carry_out(lambda: self._sandbox.count(method, path))

    def clear_log(self) -> None:
        """Forget every request so far."""
        self._carry_out(self._sandbox.clear_log)

    def reset(self, *, seed: int | None = None, people: int | None = None, projects: int | None = None) -> None:
        """Set up the company again, or another one; faults and log are cleared too."""
        self._carry_out(lambda: self._sandbox.reset(seed=seed, people=people, projects=projects))


class _Carried:
    """An object of the sandbox's thread: what is called on it is carried out there, and what it returns is a copy."""

    def __init__(self, target: Any, carry_out: Carrier) -> None:
        self._target = target
        self._carry_out = carry_out

    def __repr__(self) -> str:
        return repr(self._target)

    def __len__(self) -> int:
        return int(self._carry_out(lambda: len(self._target)))

    def __iter__(self) -> Iterator[Any]:
        return iter(self._carry_out(lambda: tuple(self._target)))

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._target, name)
        if not callable(member):
            return member

        def call(*args: Any, **kwargs: Any) -> Any:
            return self._carry_out(lambda: _copied(member(*args, **kwargs)))

        return call


def _copied(value: Any) -> Any:
    """The records of a collection as they are now; the store replaces a record that changes."""
    return dict(value) if isinstance(value, Mapping) else value
