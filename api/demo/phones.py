"""The phones of an invented customer: what is done on them goes out as the provider's webhook.

What they show is in the journal. Nothing here talks to the service in any other way than Telegram
and Twilio do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from api.demo.customers import Line, PhoneCustomer, TelegramCustomer, Webhook
from api.demo.journal import Entry, Journal
from api.demo.media import MEDIA
from api.demo.standin import Accepted, StandIn
from channels.message import Channel
from channels.twilio import API_URL
from channels.twilio_webhook import channel_address

CHAT_ID_BASE: Final = 7_000_000_000
TEXT_LENGTH_MAX: Final = 2000


class NotPossible(ValueError):
    """The phone cannot do that; the text says why."""


@dataclass(frozen=True)
class Owner:
    """Whose phones they are. `numbers` holds our own number for each channel of Twilio's that is
    simulated and that the customer has; `chat_id` is None where Telegram is a real one."""

    customer_number: str
    first_name: str
    language: str
    phone: str
    numbers: Mapping[Channel, str]
    chat_id: int | None

    @property
    def addresses(self) -> dict[str, str]:
        """The stand-in's name of each phone, by its channel's."""
        found = {
            channel.value: channel_address(channel, self.phone) for channel in sorted(self.numbers)
        }
        if self.chat_id is not None:
            found[Channel.TELEGRAM.value] = str(self.chat_id)
        return found

    @property
    def own_addresses(self) -> list[str]:
        """The customer's addresses as the service keeps them."""
        return [self.phone, *([str(self.chat_id)] if self.chat_id is not None else [])]


def chat_id_of(customer_id: int) -> int:
    """The Telegram chat of an invented customer."""
    return CHAT_ID_BASE + customer_id


class Phones:
    """One customer's phones."""

    def __init__(self, owner: Owner, line: Line, stand_in: StandIn, journal: Journal) -> None:
        self.owner = owner
        self._line = line
        self._stand_in = stand_in
        self._journal = journal
        self._by_channel: dict[str, PhoneCustomer | TelegramCustomer] = {
            channel.value: PhoneCustomer(line, owner.phone, ours, channel)
            for channel, ours in owner.numbers.items()
        }
        if owner.chat_id is not None:
            self._by_channel["telegram"] = TelegramCustomer(
                line, owner.chat_id, owner.language, owner.first_name, stand_in.numbers
            )

    async def write(self, channel: str, text: str, now: datetime) -> None:
        """Send a text. Raises NotPossible, NotDelivered."""
        text = text.strip()
        if not 0 < len(text) <= TEXT_LENGTH_MAX:
            raise NotPossible(f"a message has 1 to {TEXT_LENGTH_MAX} characters")
        phone = self._phone(channel)
        await self._send(phone, phone.message(text), {"text": _shown(text)}, now)

    async def attach(self, channel: str, kind: str, now: datetime) -> None:
        """Send an invented picture or document. Raises NotPossible, NotDelivered."""
        phone = self._phone(channel)
        if kind not in MEDIA:
            raise NotPossible("a phone sends photos and documents")
        mime_type, name = MEDIA[kind]
        if isinstance(phone, TelegramCustomer):
            webhook = phone.message(**_telegram_file(kind, mime_type, name))
        elif phone.channel is Channel.WHATSAPP:
            account = f"{API_URL}/2010-04-01/Accounts/{self._line.account_sid}"
            url = f"{account}/Messages/MM{kind}/Media/ME{kind}"
            webhook = phone.message("", NumMedia="1", MediaUrl0=url, MediaContentType0=mime_type)
        else:
            raise NotPossible("a text message carries no file")
        await self._send(phone, webhook, {"text": "", "file": name, "file_kind": kind}, now)

    async def press(self, channel: str, key: str, button_id: str, now: datetime) -> None:
        """Press a button under a message. Raises NotPossible, NotDelivered."""
        phone = self._phone(channel)
        shown = self._journal.message(phone.address, key)
        buttons = shown.data["buttons"] if shown is not None else []
        title = next((b["title"] for b in buttons if b["id"] == button_id), None)
        if title is None:
            raise NotPossible("there is no such button")
        if isinstance(phone, TelegramCustomer):
            # A press is no message in Telegram; the button itself shows it.
            self._journal.add(phone.address, "pressed", {"key": key, "button": button_id})
            await self._line.deliver(phone.press(_Shown(key), button_id), seconds=15)
        else:
            webhook = phone.message(title, ButtonText=title, ButtonPayload=button_id)
            await self._send(phone, webhook, {"text": title}, now)

    async def read(self, channel: str, key: str) -> None:
        """Let the sender know that a message was looked at; only WhatsApp passes that on."""
        phone = self._phone(channel)
        shown = self._journal.message(phone.address, key)
        if shown is None or shown.data["mine"] or channel != Channel.WHATSAPP:
            return
        known = [e.data for e in self._journal.after(shown.number, [phone.address])]
        if {"key": key, "status": "read"} not in known:
            await self._stand_in.read(key)

    def _phone(self, channel: str) -> PhoneCustomer | TelegramCustomer:
        phone = self._by_channel.get(channel)
        if phone is None:
            raise NotPossible("this customer has no such phone")
        return phone

    async def _send(
        self,
        phone: PhoneCustomer | TelegramCustomer,
        webhook: Webhook,
        shown: dict[str, Any],
        now: datetime,
    ) -> None:
        number = next(self._stand_in.numbers)
        entry = self._journal.add(
            phone.address,
            "message",
            {
                "key": f"mine:{number}",
                "number": number,
                "mine": True,
                "buttons": [],
                "at": now.isoformat(),
                "status": "sent",
                **shown,
            },
        )
        await self._line.deliver(webhook, seconds=15)
        self._status(entry, "delivered")

    def _status(self, entry: Entry, status: str) -> None:
        self._journal.add(entry.address, "status", {"key": entry.data["key"], "status": status})


@dataclass(frozen=True)
class _Shown:
    provider_message_id: str


def entry_of(accepted: Accepted, now: datetime) -> dict[str, Any]:
    """A message that the stand-in took, as the phone shows it."""
    return {
        "key": accepted.provider_message_id,
        "number": accepted.number,
        "mine": False,
        "text": accepted.text,
        "buttons": [{"id": id_, "title": title} for id_, title in accepted.buttons],
        "at": now.isoformat(),
    }


def _shown(text: str) -> str:
    """A one-time link is no more to be read on the phone that used it."""
    return "/start" if text.startswith("/start ") else text


def _telegram_file(kind: str, mime_type: str, name: str) -> dict[str, Any]:
    file = {"file_id": f"demo-{name}", "file_unique_id": f"demo-{name}", "file_size": 48_213}
    if kind == "photo":
        return {"photo": [{**file, "width": 960, "height": 1280}]}
    return {"document": {**file, "file_name": name, "mime_type": mime_type}}
