"""Files are fetched from the provider alone, within limits, and no error tells where from."""

import base64
from collections.abc import Mapping

import httpx
import pytest

from api.demo.media import MEDIA as SENT
from api.demo.standin import StandIn
from api.file_content import content_of
from channels import files
from channels.files import FileError, FileGone, FileOutOfReach, FileRefused, FileTooLarge
from channels.http import Answer, Connections
from channels.message import Channel
from channels.telegram import TelegramProvider
from channels.twilio import TwilioProvider
from tests.file_server import FileServer, file_server

TOKEN, SID, AUTH = "123456:GEHEIM", "AC1", "geheim"
MEDIA = "/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1"
BASIC = "Basic " + base64.b64encode(f"{SID}:{AUTH}".encode()).decode()
GET_FILE, FILE = f"/bot{TOKEN}/getFile", f"/file/bot{TOKEN}/photos/file_7.jpg"


def twilio(server: FileServer, connections: Connections) -> TwilioProvider:
    return TwilioProvider(
        account_sid=SID, auth_token=AUTH, senders={Channel.WHATSAPP: "+4915735990000"},
        api_url=server.url, connections=connections,
    )  # fmt: skip


def telegram(server: FileServer, connections: Connections) -> TelegramProvider:
    return TelegramProvider(
        token=TOKEN, webhook_secret="s", api_url=server.url, connections=connections
    )


class InPlaceOfTheNetwork(Connections):
    """Answers as Twilio's hosts do, and keeps what was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, Mapping[str, str]]] = []

    async def exchange(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes = b"",
        bytes_max: int | None = None,
    ) -> Answer:  # fmt: skip
        self.asked.append((url, headers))
        if url.startswith("https://api.twilio.com/"):
            return Answer(307, {"location": "https://mms.twiliocdn.com/AC1/x?Expires=1"}, b"")
        return Answer(200, {}, b"a picture")


class InFrontOf(Connections):
    """Asks an application in this process."""

    def __init__(self, app: StandIn) -> None:
        super().__init__()
        self._transport = httpx.ASGITransport(app=app.app())

    async def exchange(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes = b"",
        bytes_max: int | None = None,
    ) -> Answer:  # fmt: skip
        async with httpx.AsyncClient(transport=self._transport) as client:
            got = await client.request(method, url, headers=dict(headers), content=content)
        return Answer(got.status_code, got.headers, got.content)


async def fetched(
    server: FileServer, channel: Channel, reference: str, *, seconds: float = 5
) -> bytes | type[FileError]:
    """The file, or why not; what is raised names no address and no secret."""
    connections = Connections(answer_seconds_max=seconds)
    make = telegram if channel is Channel.TELEGRAM else twilio
    try:
        return await make(server, connections).fetch(reference)
    except FileError as error:
        told = f"{error!r} {error.__cause__!r}"
        assert not [one for one in ("GEHEIM", AUTH, "127.0.0.1", "ME1") if one in told]
        return type(error)
    finally:
        await connections.close()


async def test_twilio_is_asked_with_our_credentials_wherever_the_address_points() -> None:
    async with file_server() as server, file_server() as foreign:
        server.put(MEDIA, b"a picture")
        foreign.put(MEDIA, b"a trap")
        for host in (server.url, foreign.url, "https://api.twilio.com"):
            assert await fetched(server, Channel.WHATSAPP, host + MEDIA) == b"a picture"
        assert server.asked == [(MEDIA, BASIC)] * 3
        assert foreign.asked == []


@pytest.mark.parametrize(
    "reference",
    ["", "/Accounts/AC1.json", f"https://x.example{MEDIA}.json", f"{MEDIA}/../../x", "file:///etc"],
)
async def test_what_is_no_address_of_media_is_asked_of_nobody(reference: str) -> None:
    async with file_server() as server:
        assert await fetched(server, Channel.WHATSAPP, reference) is FileGone
        assert server.asked == []


async def test_a_redirect_to_a_foreign_host_is_not_followed() -> None:
    async with file_server() as server, file_server() as foreign:
        foreign.put("/x", b"a trap")
        for target in (f"{foreign.url}/x", "https://mms.twiliocdn.com.evil.example/x",
                       f"{server.url}@127.0.0.1/x", "file:///etc/passwd"):  # fmt: skip
            server.put(MEDIA, status=307, Location=target)
            assert await fetched(server, Channel.WHATSAPP, MEDIA) is FileRefused
        assert foreign.asked == []


async def test_a_redirect_within_the_provider_goes_without_credentials() -> None:
    async with file_server() as server:
        server.put(MEDIA, status=302, Location="/cdn/1")
        server.put("/cdn/1", b"a picture")
        assert await fetched(server, Channel.WHATSAPP, MEDIA) == b"a picture"
        assert server.asked == [(MEDIA, BASIC), ("/cdn/1", None)]
        server.put("/cdn/1", status=302, Location="/cdn/1")
        assert await fetched(server, Channel.WHATSAPP, MEDIA) is FileRefused


async def test_twilios_own_place_for_media_is_followed_to() -> None:
    kept = InPlaceOfTheNetwork()
    provider = TwilioProvider(
        account_sid=SID, auth_token=AUTH, senders={Channel.WHATSAPP: "+49"}, connections=kept
    )
    assert await provider.fetch(MEDIA) == b"a picture"
    assert [url for url, _ in kept.asked] == [
        f"https://api.twilio.com{MEDIA}", "https://mms.twiliocdn.com/AC1/x?Expires=1",
    ]  # fmt: skip
    assert "Authorization" not in kept.asked[1][1]


async def test_telegram_is_asked_where_the_file_is() -> None:
    async with file_server() as server:
        server.put(GET_FILE, json={"ok": True, "result": {
            "file_id": "f", "file_unique_id": "u", "file_path": "photos/file_7.jpg",
        }})  # fmt: skip
        server.put(FILE, b"a picture")
        assert await fetched(server, Channel.TELEGRAM, "f") == b"a picture"
        server.put(FILE, status=302, Location="/elsewhere")
        assert await fetched(server, Channel.TELEGRAM, "f") is FileRefused


@pytest.mark.parametrize(
    ("answer", "status", "why"),
    [
        ({"ok": True, "result": {"file_id": "f", "file_unique_id": "u"}}, 200, FileGone),
        ({"ok": True, "result": {"file_id": "f", "file_unique_id": "u", "file_path": "../../x"}},
         200, FileRefused),
        ({"ok": True, "result": {"file_id": "f", "file_unique_id": "u", "file_path": "a?b=c"}},
         200, FileRefused),
        ({"ok": True, "result": True}, 200, FileOutOfReach),
        ({"ok": False, "description": "Bad Request: file is too big"}, 400, FileTooLarge),
        ({"ok": False, "description": "Bad Request: wrong file_id"}, 400, FileGone),
        ({"ok": False, "description": "Unauthorized"}, 401, FileRefused),
        ({"ok": False, "description": "Not Found"}, 404, FileRefused),
        ({"ok": False, "description": "later"}, 500, FileOutOfReach),
    ],
)  # fmt: skip
async def test_what_telegram_answers_instead(
    answer: object, status: int, why: type[FileError]
) -> None:
    async with file_server() as server:
        server.put(GET_FILE, json=answer, status=status)
        assert await fetched(server, Channel.TELEGRAM, "f") is why


@pytest.mark.parametrize(
    ("status", "why"),
    [(404, FileGone), (410, FileGone), (401, FileRefused), (403, FileRefused),
     (429, FileOutOfReach), (500, FileOutOfReach)],
)  # fmt: skip
async def test_what_a_refusal_means(status: int, why: type[FileError]) -> None:
    async with file_server() as server:
        server.put(MEDIA, status=status)
        assert await fetched(server, Channel.WHATSAPP, MEDIA) is why


async def test_too_large_is_given_up_said_or_unsaid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "FILE_BYTES_MAX", 200_000)
    async with file_server() as server:
        server.put(MEDIA, b"x" * 200_000)
        assert await fetched(server, Channel.WHATSAPP, MEDIA) == b"x" * 200_000
        server.put(MEDIA, b"x" * 200_001)
        assert await fetched(server, Channel.WHATSAPP, MEDIA) is FileTooLarge
        server.drip(MEDIA, endless=True)
        assert await fetched(server, Channel.WHATSAPP, MEDIA) is FileTooLarge


async def test_who_says_nothing_more_is_out_of_reach() -> None:
    async with file_server() as server:
        server.drip(MEDIA, endless=False)
        assert await fetched(server, Channel.WHATSAPP, MEDIA, seconds=0.3) is FileOutOfReach
    assert await fetched(server, Channel.WHATSAPP, MEDIA) is FileOutOfReach


@pytest.mark.parametrize("kind", list(SENT))
async def test_the_demos_providers_have_what_its_customers_send(kind: str) -> None:
    media_type, name = SENT[kind]
    connections = InFrontOf(StandIn("of the tests"))
    bot = TelegramProvider(token=TOKEN, webhook_secret="s", connections=connections)
    account = TwilioProvider(
        account_sid=SID, auth_token=AUTH, senders={Channel.WHATSAPP: "+49"}, connections=connections
    )
    got = await account.fetch(f"/2010-04-01/Accounts/{SID}/Messages/MM1/Media/ME{kind}")
    assert got == await bot.fetch(f"demo-{name}")
    assert content_of(got).media_type == media_type
    with pytest.raises(FileGone):
        await account.fetch(f"{MEDIA}x")
