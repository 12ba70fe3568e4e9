"""A provider stand-in on loopback that answers, or fails, exactly as a case asks for."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Reply:
    """An HTTP answer; `body` is sent as JSON unless it is a string."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        body = self.body if isinstance(self.body, str) else json.dumps(self.body)
        headers = {"Content-Length": str(len(body.encode())), **self.headers}
        lines = [f"HTTP/1.1 {self.status} X", *(f"{k}: {v}" for k, v in headers.items())]
        return "\r\n".join([*lines, "", body]).encode()


class Fault(Enum):
    """Ways to fail that are not answers."""

    REFUSED = "nobody listens"
    CLOSED = "reads the request, then hangs up"
    CUT = "hangs up in the middle of its answer"
    SILENT = "never answers"


@dataclass(frozen=True)
class Request:
    """What the stand-in was asked. `fields` are those of the form body."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    fields: dict[str, str]


class StandIn:
    def __init__(self, answer: Reply | Fault) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self._answer = answer
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._exchange(reader, writer):
                pass
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        url = urlsplit(target)
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        self.requests.append(Request(method, url.path, query, headers, fields))
        if self._answer is Fault.CLOSED:
            return False
        if self._answer is Fault.CUT:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")
            await writer.drain()
            return False
        if isinstance(self._answer, Reply):
            writer.write(self._answer.encoded())
            await writer.drain()
        return True


@asynccontextmanager
async def stand_in(answer: Reply | Fault) -> AsyncIterator[StandIn]:
    """Run a stand-in; `url` is where it listens, or would, for Fault.REFUSED."""
    peer = StandIn(answer)
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(peer.handle(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    peer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    if answer is Fault.REFUSED:
        server.close()
    try:
        yield peer
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
