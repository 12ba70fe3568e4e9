import asyncio
import logging

import pytest

from channels.http import AnswerLost, Connections, NotSent
from tests.contract.channels.standin import Fault, Reply, stand_in

SECRET_PATH = "/bot123:SECRET/send?To=%2B4915112345678"
OK = Reply(200, {"ok": True})


async def post(connections: Connections, url: str) -> int:
    answer = await connections.exchange("POST", url, headers={}, content=b"a=b")
    return answer.status


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/x", "http://nowhere.invalid/x", "ftp://127.0.0.1/x", "//x", "http://[x/"],
)
async def test_what_cannot_be_reached_was_not_sent(url: str) -> None:
    connections = Connections(answer_seconds_max=0.3)
    with pytest.raises(NotSent):
        await post(connections, url)
    await connections.close()


async def test_a_header_that_cannot_be_written_was_not_sent() -> None:
    async with stand_in(OK) as peer:
        connections = Connections()
        with pytest.raises(NotSent):
            await connections.exchange("POST", peer.url, headers={"A": "b\r\nC: d"})
        await connections.close()
    assert peer.requests == []


async def test_a_full_pool_was_not_sent_and_a_silent_peer_may_have_been() -> None:
    async with stand_in(Fault.SILENT) as peer:
        connections = Connections(answer_seconds_max=0.2, connections_max=1)
        first, second = await asyncio.gather(
            post(connections, peer.url), post(connections, peer.url), return_exceptions=True
        )
        await connections.close()
    assert isinstance(first, AnswerLost)
    assert isinstance(second, NotSent)
    assert len(peer.requests) == 1


async def test_redirects_are_not_followed() -> None:
    async with stand_in(OK) as elsewhere, stand_in(Reply(307, "", {"Location": "x"})) as peer:
        connections = Connections()
        assert await post(connections, peer.url) == 307
        await connections.close()
    assert elsewhere.requests == []


async def test_a_connection_that_the_peer_closed_while_idle_costs_nothing() -> None:
    answered = 0

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal answered
        await reader.readuntil(b"a=b")
        writer.write(OK.encoded())
        await writer.drain()
        answered += 1
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(once, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    connections = Connections()
    for _ in range(3):
        assert await post(connections, url) == 200
        await asyncio.sleep(0.02)
    await connections.close()
    server.close()
    assert answered == 3


async def test_connections_are_kept() -> None:
    async with stand_in(OK) as peer:
        connections = Connections()
        for _ in range(5):
            await post(connections, peer.url)
        await connections.close()
    assert len(peer.requests) == 5
    assert peer.connections == 1


async def test_no_log_line_and_no_error_shows_a_path_or_query(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    said = ""
    for answer in (OK, Fault.REFUSED, Fault.CLOSED):
        async with stand_in(answer) as peer:
            connections = Connections(answer_seconds_max=0.3)
            try:
                await post(connections, peer.url + SECRET_PATH)
            except (NotSent, AnswerLost) as error:
                said += f"{error!r}"
            await connections.close()
    said += caplog.text
    assert "SECRET" not in said
    assert "4915112345678" not in said
