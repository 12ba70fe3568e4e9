"""A file that a customer sent: fetched once, shown safely, to whom it may be shown, and noted."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image
from sqlalchemy import delete, func, select

from api.accounts import Providers
from api.people.roles import Role
from api.settings import Settings
from storage.tables import AuditEvent, ChannelAccount, Merchant, Message, MessageFile
from tests.conftest import NOW
from tests.desk_parts import Agent, Desk
from tests.file_server import FileServer, file_server

SID = "AC1"
SAFE = {
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


def photo(size: tuple[int, int] = (900, 1200), kind: str = "JPEG") -> bytes:
    file = BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "geheimer Ort"
    Image.new("RGB", size, "white").save(file, kind, exif=exif)
    return file.getvalue()


@dataclass
class Files:
    """A conversation whose customer sends files, and the provider that has them."""

    desk: Desk
    server: FileServer

    async def send(
        self,
        body: bytes | None = None,
        *,
        kind: str = "photo",
        mime: str = "image/jpeg",
        **how: Any,
    ) -> int:
        """The customer sends one; the message's number. Without a body the provider has none."""
        number = await self.count(Message)
        path = f"/2010-04-01/Accounts/{SID}/Messages/MM{number}/Media/ME1"
        if body is not None or how:
            self.server.put(path, body or b"", **how)
        held = self.desk.conversation
        async with self.desk.database.operator() as session:
            message = Message(
                merchant_id=held.merchant_id, conversation_id=held.id, direction="in",
                channel_account_id=held.channel_account_id, author="customer", kind="message",
                text="Hier ist der Beleg.", created_at=NOW, handled_at=NOW,
                attachments=[
                    {"kind": "location", "details": {"latitude": "1"}},
                    {"kind": kind, "reference": f"https://api.twilio.com{path}", "mime_type": mime,
                     "file_name": "../../<svg>.html"},
                ],
            )  # fmt: skip
            session.add(message)
            await session.flush()
            return message.id

    async def count(self, table: Any) -> int:
        async with self.desk.database.operator() as session:
            return int(await session.scalar(select(func.count()).select_from(table)) or 0)

    async def seen(self) -> list[tuple[str | None, dict[str, Any]]]:
        async with self.desk.database.operator() as session:
            rows = await session.scalars(
                select(AuditEvent)
                .where(AuditEvent.kind == "attachment_seen")
                .order_by(AuditEvent.id)
            )
            return [(one.person, dict(one.facts)) for one in rows]


@pytest.fixture
async def files(desk: Desk) -> AsyncIterator[Files]:
    async with file_server() as server:
        settings = Settings(_env_file=None, twilio_api_url=server.url)  # type: ignore[call-arg]

        async def nobody(address: str, event: Any) -> None:
            """No terminal listens."""

        providers = Providers(settings, "of the tests", nobody)
        async with desk.database.operator() as session:
            account = (await session.scalars(select(ChannelAccount))).one()
            account.credentials = providers.encrypt({"account_sid": SID, "auth_token": "geheim"})
        desk.parts.providers = providers
        await desk.ask()
        yield Files(desk, server)
        await providers.close()


async def look(agent: Agent, message: int, position: int = 1, more: str = "") -> httpx.Response:
    return await agent.console.get(f"/console/attachments/{message}/{position}{more}")


async def test_a_photo_is_fetched_once_and_shown_as_a_picture_of_ours(files: Files) -> None:
    maria, message = await files.desk.agent(), await files.send(photo())
    first = await look(maria, message)
    assert first.status_code == 200, first.text
    assert first.headers["content-type"] == "image/jpeg"
    assert first.headers["content-disposition"] == f'inline; filename="{message}-2.jpg"'
    assert {name: first.headers[name] for name in SAFE} == SAFE
    assert b"geheim" not in first.content
    assert Image.open(BytesIO(first.content)).size == (900, 1200)
    files.server.answers.clear()  # the provider has it no more
    small = await look(maria, message, more="?small=1")
    assert Image.open(BytesIO(small.content)).size == (360, 480)
    assert (await look(maria, message)).content == first.content
    assert len(files.server.asked) == 1
    facts = {"message": message, "position": 1, "file": "photo"}
    assert await files.seen() == [
        ("m.koch", facts | {"small": False}), ("m.koch", facts | {"small": True}),
        ("m.koch", facts | {"small": False}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "media_type", "ending"),
    [
        (b"%PDF-1.7 <script>", "application/pdf", "pdf"),
        (b"<html><script>alert(1)</script></html>", "text/plain; charset=utf-8", "txt"),
        (b"<svg onload='alert(1)'/>", "text/plain; charset=utf-8", "txt"),
        (b"MZ\x90\0", "application/octet-stream", "bin"),
    ],
)
async def test_all_else_is_a_download_whatever_it_claims_to_be(
    files: Files, body: bytes, media_type: str, ending: str
) -> None:
    maria = await files.desk.agent()
    for claimed in ("image/png", "text/html"):
        message = await files.send(body, mime=claimed, Content_Type=claimed)
        got = await look(maria, message)
        assert (got.status_code, got.content) == (200, body)
        assert got.headers["content-type"] == media_type
        assert got.headers["content-disposition"] == f'attachment; filename="{message}-2.{ending}"'
        assert {name: got.headers[name] for name in SAFE} == SAFE
        assert (await look(maria, message, more="?small=1")).status_code == 404


@pytest.mark.parametrize(
    ("body", "how", "status", "said"),
    [
        (None, {}, 404, "Bitten Sie darum, sie noch einmal zu schicken"),
        (b"", {"status": 401}, 422, "Zeiten und Kanäle"),
        (b"", {"status": 500}, 503, "in ein paar Minuten noch einmal"),
        (b"", {"status": 302, "Location": "http://127.0.0.1:1/x"}, 422, "Zeiten und Kanäle"),
        (b"", {"status": 200}, 422, "Die Datei ist leer"),
        (b"x" * (16 * 1024 * 1024 + 1), {}, 422, "größer als 16 MB"),
        (photo()[:300], {}, 422, "beschädigt"),
    ],
)
async def test_what_cannot_be_opened_says_why_and_what_helps(
    files: Files, body: bytes | None, how: dict[str, Any], status: int, said: str
) -> None:
    maria, message = await files.desk.agent(), await files.send(body, **how)
    got = await look(maria, message)
    assert got.status_code == status
    assert said in got.text
    assert await files.count(MessageFile) == 0
    assert await files.seen() == []


async def test_what_failed_once_may_be_tried_again(files: Files) -> None:
    maria, message = await files.desk.agent(), await files.send(status=503)
    assert (await look(maria, message)).status_code == 503
    (path,) = files.server.answers
    files.server.put(path, photo())
    assert (await look(maria, message)).status_code == 200


async def test_two_at_once_keep_one_copy_and_it_goes_with_its_message(files: Files) -> None:
    maria, lea = await files.desk.agent(), await files.desk.agent("l.brandt")
    message = await files.send(photo())
    got = await asyncio.gather(look(maria, message), look(lea, message))
    assert [one.status_code for one in got] == [200, 200]
    assert await files.count(MessageFile) == 1
    async with files.desk.database.operator() as session:
        await session.execute(delete(Message).where(Message.id == message))
    assert await files.count(MessageFile) == 0


@pytest.mark.parametrize("position", [0, 2, 99])
async def test_where_no_file_is_there_is_nothing(files: Files, position: int) -> None:
    maria, message = await files.desk.agent(), await files.send(photo())
    assert (await look(maria, message, position)).status_code == 404
    assert (await look(maria, 10**15)).status_code == 404
    assert files.server.asked == []


async def test_only_who_may_see_it_uncovered_and_only_the_own_merchants(
    files: Files,
) -> None:
    other = Merchant(key="other", name="Nordlicht", created_at=NOW)
    async with files.desk.database.operator() as session:
        session.add(other)
    message = await files.send(photo())
    await look(await files.desk.agent(), message)
    for role in (Role.REVIEWER, Role.ANALYST):
        got = await look(await files.desk.agent("r.lang", role), message)
        assert got.status_code == 403
    stranger = await files.desk.agent("s.fremd")
    stranger.console.forget()
    assert (await look(stranger, message)).status_code == 303
    await stranger.console.sign_in(other, "s.fremd", Role.OWNER)
    got = await look(stranger, message)
    assert (got.status_code, got.headers["content-type"]) == (404, "text/html; charset=utf-8")
    async with files.desk.database.merchant(other.id) as session:
        assert (await session.scalars(select(MessageFile))).all() == []


async def test_the_conversation_leads_to_it_and_shows_it_small_once_uncovered(
    files: Files,
) -> None:
    maria, message = await files.desk.agent(), await files.send(photo())
    path, img = (
        f'href="/console/attachments/{message}/1"',
        f"/console/attachments/{message}/1?small=1",
    )
    page = (await maria.look()).text
    assert path in page
    assert "Bild ansehen" in page
    assert "Standort" in page
    assert img not in page
    await maria.act("reveal")
    page = await maria.look()
    assert f'<img src="{img}" loading="lazy"' in page.text
    assert 'alt="Vorschau des Bildes"' in page.text
    assert "img-src 'self'" in page.headers["content-security-policy"]


async def test_so_does_the_transcript_for_who_may_uncover_it(files: Files) -> None:
    message, talk = await files.send(photo()), files.desk.conversation.id
    img, path = f"/console/attachments/{message}/1?small=1", f"/console/attachments/{message}/1"
    maria, reader = await files.desk.agent(), await files.desk.agent("r.lang", Role.REVIEWER)
    covered = (await maria.console.get(f"/console/conversations/{talk}")).text
    assert path in covered
    assert img not in covered
    revealed = await maria.console.post(f"/console/conversations/{talk}/reveal")
    assert img in revealed.text
    assert "img-src 'self'" in revealed.headers["content-security-policy"]
    theirs = (await reader.console.get(f"/console/conversations/{talk}")).text
    assert path not in theirs
    assert "Bild</span>" in theirs
