"""A limit in Redis that takes note of an answer too late: the answer is there all the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from wire import Connection, Server, json_answer, opened, post

from benchmarks._redis_server import RedisServer
from kantata_async import RedisRateLimit


class SlowWay:
    """Passes on what is said to Redis, after as many seconds as a test likes."""

    def __init__(self, port: int) -> None:
        self.seconds = 0.0
        self._port = port

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """The URL of the way."""
        async with await asyncio.start_server(self._accept, "127.0.0.1", 0) as server:
            yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self._port)
        back = asyncio.create_task(self._pass_on(to_reader, writer, slowly=False))
        await self._pass_on(reader, to_writer, slowly=True)
        await back

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, slowly: bool) -> None:
        try:
            while data := await reader.read(65536):
                if slowly:
                    await asyncio.sleep(self.seconds)
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


async def test_an_answer_in_time_is_delivered_though_its_limit_is_told_too_late(redis: RedisServer) -> None:
    """The attempt's time is over while Redis takes note of what ends a pause; the write was answered before."""
    way = SlowWay(redis.port)

    async def answer_when_redis_is_slow(connection: Connection) -> None:
        way.seconds = 0.7
        await asyncio.sleep(0.5)
        await connection.say(json_answer({"made": True}, 201))

    async with (
        way.open() as url,
        Server([json_answer({}, 429), answer_when_redis_is_slow]) as server,
        opened(server, timeout=1.0, rate_limit=RedisRateLimit(url)) as transport,
    ):
        success = await transport.send(post())
        way.seconds = 0
    assert (success.response.status, success.data, success.response.attempts) == (201, {"made": True}, 2)
    assert server.methods == ["POST", "POST"]
