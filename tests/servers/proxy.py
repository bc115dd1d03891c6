"""A TCP proxy that passes bytes on until it is told to cut, reset, stall or say goodbye."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from servers import LOOPBACK, free_port

CUT, RESET, STALL, BYE = "cut", "reset", "stall", "bye"
HOWS = (CUT, RESET, STALL, BYE)


@dataclass
class Fault:
    """What goes wrong, once: `how`, when the client has said `after` (empty: before the greeting) or `left` bytes have passed.

    A stall passes nothing on any more in either direction and leaves the connection open: a peer that is half-open.
    """

    how: str
    after: bytes | None = None
    left: int | None = None
    to_client: bool = True


class Proxy:
    """Listens on `port` of the loopback address and talks to a server there. `fault` is the next that happens, or None."""

    host = LOOPBACK

    def __init__(self, server_port: int) -> None:
        self.port = free_port()
        self.fault: Fault | None = None
        self.connections = 0
        self.passed = 0
        self._server_port = server_port
        self._for_ever = asyncio.Event()  # the loop alone would not keep those who wait for it
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._listener = self._in_loop(asyncio.start_server(self._talk, LOOPBACK, self.port))
        return self

    def __exit__(self, *error: object) -> None:
        self._in_loop(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _in_loop(self, what: object) -> object:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(10)

    async def _end(self) -> None:
        self._listener.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _talk(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            server, to_server = await asyncio.open_connection(LOOPBACK, self._server_port)
        except OSError:
            to_client.close()
            return
        ends = (to_client, to_server)
        try:
            if self.fault and self.fault.after == b"":
                await self._strike(ends)
            there = asyncio.create_task(self._pass(client, to_server, ends, back=False))
            back = asyncio.create_task(self._pass(server, to_client, ends, back=True))
            _, left = await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
            for task in left:
                task.cancel()
            await asyncio.gather(there, back, return_exceptions=True)
        except _Struck:
            pass
        finally:
            for end in ends:
                with suppress(OSError, RuntimeError):
                    end.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ends: Ends, *, back: bool) -> None:
        while data := await reader.read(65536):
            fault = self.fault
            if fault and fault.left is not None and fault.to_client == back and fault.left < len(data):
                writer.write(data[: fault.left])
                await writer.drain()
                await self._strike(ends)
            elif fault and fault.after and not back and fault.after in data:
                await self._strike(ends)
            if fault and fault.left is not None and fault.to_client == back:
                fault.left -= len(data)
            self.passed += len(data) if back else 0
            writer.write(data)
            await writer.drain()

    async def _strike(self, ends: Ends) -> None:
        fault, self.fault = self.fault, None
        assert fault
        to_client, _ = ends
        if fault.how == STALL:
            await self._for_ever.wait()
        if fault.how == RESET:
            line: socket.socket = to_client.get_extra_info("socket")
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if fault.how == BYE:
            to_client.write(b"* BYE the server goes down\r\n")
            await to_client.drain()
        raise _Struck


Ends = tuple[asyncio.StreamWriter, asyncio.StreamWriter]


class _Struck(Exception):
    """The connection is over."""
