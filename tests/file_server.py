"""A real HTTP server on loopback that stands in for a provider which holds customers' files."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class FileServer:
    """Answers each path as it is told; keeps what it was asked, with the credentials."""

    url: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def put(
        self,
        path: str,
        body: bytes = b"",
        *,
        status: int = 200,
        json: object = None,
        **headers: str,
    ) -> None:
        """Answer with this; names of headers are written with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}

        async def answer(_request: web.Request) -> web.StreamResponse:
            if json is not None:
                return web.json_response(json, status=status)
            return web.Response(body=body, status=status, headers=named)

        self.answers[path] = answer

    def drip(self, path: str, *, endless: bool) -> None:
        """Begin an answer without a length, and go on for ever, or say nothing more."""

        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            while endless:
                await response.write(b"x" * 65_536)
            await asyncio.sleep(30)
            return response

        self.answers[path] = answer

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.path, request.headers.get("Authorization")))
        answer = self.answers.get(request.path)
        return await answer(request) if answer else web.Response(status=404, text="nothing")


@asynccontextmanager
async def file_server() -> AsyncIterator[FileServer]:
    """It runs while the block does."""
    made = FileServer()
    runner = web.ServerRunner(web.Server(made.handle), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield made
    finally:
        await runner.cleanup()
