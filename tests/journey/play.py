"""Plays one dialogue at the running service and notes everything that is not as it should be."""

import asyncio
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import text

from api.demo.customers import PhoneCustomer, TelegramCustomer, Webhook
from api.demo.standin import Accepted
from api.demo.started import SMS_NUMBER, WHATSAPP_NUMBER
from channels.message import PHONE_CHANNELS, Channel
from ledger import book
from ledger.money import Money
from tests.journey.cast import Role, cast
from tests.journey.conftest import World
from tests.journey.script import Act, Script, filled, minor
from tests.journey.state import BERLIN, actual, expected

LOOK_SECONDS = 0.1
"""Many wait at once; looking more often would cost the service what it needs to answer."""
_FAMILIAR = re.compile(r"\b(du|dir|dich|dein\w*)\b", re.IGNORECASE)
_FORMAL = re.compile(r"\b(Ihnen|Ihr|Ihre\w*)\b")
_ASSISTANT = re.compile(r"automatische Assistent|automated assistant")
_PHOTO = {"file_id": "AgACAgIAAx", "file_unique_id": "AQAD", "width": 800, "height": 600}


@dataclass(frozen=True)
class Answer:
    """One message of ours, as it stands in the transcript."""

    id: int
    wording: str
    text: str
    discloses: bool


@dataclass
class Play:
    """One dialogue under way. `faults` fills up; `transcript` is what a reader needs with them."""

    script: Script
    world: World
    customer: PhoneCustomer | TelegramCustomer
    role: Role
    today: date
    faults: list[str] = field(default_factory=list)
    transcript: list[str] = field(default_factory=list)
    seen: int = 0
    shown: list[tuple[str, Accepted]] = field(default_factory=list)
    """Everything that arrived, with the name of its wording."""
    written: dict[int, Webhook] = field(default_factory=dict)
    """The customer's messages by the number of their act."""

    @property
    def address(self) -> str:
        """The customer's address as the service keeps it."""
        if isinstance(self.customer, PhoneCustomer):
            return self.customer.number
        return self.customer.address

    async def settled(self) -> None:
        """Wait until everything is handled and sent."""
        await self.world.settled(self.address, every_seconds=LOOK_SECONDS)

    def line(self, written: str) -> str:
        """A line with its days and numbers put in."""
        language = "en" if self.script.who.language == "en" else "de"
        return filled(written, self.role.facts, language, self.today)

    async def act(self, number: int, act: Act) -> None:
        """Let one thing happen and compare what comes of it."""
        self.transcript.append(f"{number:>2} {act.kind}: {self._quoted(act)}")
        await getattr(self, f"_{act.kind}")(number, act.what)
        await self.settled()
        answers = await self._answers()
        self.transcript += [f"     [{a.wording}] {a.text}" for a in answers]
        said = [answer.wording for answer in answers]
        phone = self.script.who.channel in PHONE_CHANNELS
        if not (act.answered_on_a_phone_by(said) if phone else act.answered_by(said)):
            self.faults.append(f"act {number}: {said} answered, not {_readable(act)}")
        body = "\n".join(answer.text for answer in answers).replace("\u00a0", " ")
        for wanted in map(self.line, act.shows):
            if wanted not in body:
                self.faults.append(f"act {number}: {wanted!r} is not said")
        for unwanted in map(self.line, act.hides):
            if unwanted in body:
                self.faults.append(f"act {number}: {unwanted!r} is said")
        self._check_manners(number, answers)

    def _quoted(self, act: Act) -> str:
        lines = act.what if isinstance(act.what, list) else [act.what]
        return " | ".join(self.line(one) if isinstance(one, str) else str(one) for one in lines)

    async def _say(self, number: int, written: str) -> None:
        self.written[number] = self.customer.message(self.line(written))
        await self._deliver(self.written[number])

    async def _press(self, number: int, what: str | Mapping[str, str]) -> None:
        """A button by its title: the newest one, or that of the first message of a wording."""
        title, wording = (what, None) if isinstance(what, str) else (what["title"], what["of"])
        messages = [m for w, m in self.shown if w == wording] if wording else [
            message for _, message in reversed(self.shown)
        ]  # fmt: skip
        found = [(m, id_) for m in messages for id_, name in m.buttons if name == self.line(title)]
        if not found:
            raise LookupError(f"act {number}: no button {title}")
        await self._deliver(self.customer.press(*found[0]))

    async def _quickly(self, number: int, lines: Sequence[str]) -> None:
        for webhook in [self.customer.message(self.line(line)) for line in lines]:
            await self._deliver(webhook)

    async def _swapped(self, number: int, lines: Sequence[str]) -> None:
        """Numbered by the provider in the order written, delivered at once, the last one first."""
        webhooks = [self.customer.message(self.line(line)) for line in lines]
        await asyncio.gather(*(self._deliver(webhook) for webhook in reversed(webhooks)))

    async def _twice(self, number: int, written: str) -> None:
        """Delivered twice at once, and once more when it has long been answered."""
        webhook = self.customer.message(self.line(written))
        await asyncio.gather(self._deliver(webhook), self._deliver(webhook))
        await self.settled()
        await self._deliver(webhook)

    async def _edit(self, number: int, what: Mapping[str, Any]) -> None:
        """The customer edits the message of an earlier act (Telegram)."""
        message = json.loads(self.written[what["act"]].body)["message"]
        edited = {**message, "text": self.line(what["text"]), "edit_date": int(time.time())}
        line = self.world.line
        await self._deliver(
            line.telegram({"update_id": line.next_update_id(), "edited_message": edited})
        )

    async def _media(self, number: int, kind: str) -> None:
        """A photo or a voice message without a word."""
        if isinstance(self.customer, PhoneCustomer):
            mime = {"photo": "image/jpeg", "voice": "audio/ogg"}[kind]
            url = f"https://api.twilio.com/2010-04-01/Media/{self.script.number}{number}"
            webhook = self.customer.message("", NumMedia="1", MediaUrl0=url, MediaContentType0=mime)
        else:
            update = json.loads(self.customer.message("").body)
            update["message"].pop("text", None)
            update["message"][kind] = (
                [_PHOTO] if kind == "photo" else {"file_id": "AwACAgIAAx", "duration": 4}
            )
            webhook = self.world.line.telegram(update)
        await self._deliver(webhook)

    async def _later(self, number: int, hours: int) -> None:
        """Time passes, for this conversation alone: the service's clock is everybody's."""
        await self._write(
            "UPDATE conversation SET verified_at = verified_at - make_interval(hours => :hours),"
            " last_inbound_at = last_inbound_at - make_interval(hours => :hours)"
            " WHERE address = :address",
            hours=hours,
        )
        await self._write(
            "UPDATE message SET created_at = created_at - make_interval(hours => :hours)"
            " WHERE conversation_id = (SELECT id FROM conversation WHERE address = :address)",
            hours=hours,
        )

    async def _paid(self, number: int, euros: float) -> None:
        """The merchant books a payment on the first claim."""
        made = self.world.made
        async with made.database.merchant(self.role.merchant_id) as session:
            await book.post_payment(
                session,
                self.role.claim_ids[0],
                Money(minor(euros), "EUR"),
                value_date=self.today,
                now=made.clock.now(),
                key=f"{self.script.name}:{number}",
            )

    async def _write(self, statement: str, **values: Any) -> None:
        async with self.world.made.database.merchant(self.role.merchant_id) as session:
            await session.execute(text(statement), {**values, "address": self.address})

    async def _deliver(self, webhook: Webhook) -> None:
        await self.world.line.deliver(webhook)

    async def _answers(self) -> list[Answer]:
        """What was answered since, having arrived as it stands in the transcript."""
        rows = await self.world.rows(
            "SELECT m.id, m.wording, m.text, m.discloses FROM message m"
            " JOIN conversation c ON c.id = m.conversation_id"
            " WHERE c.address = :address AND m.direction = 'out' AND m.id > :seen ORDER BY m.id",
            address=self.address,
            seen=self.seen,
        )
        answers = [Answer(row["id"], row["wording"], row["text"], row["discloses"]) for row in rows]
        arrived = self.world.standin.to(self.customer.address)[len(self.shown) :]
        if [message.text for message in arrived] != [answer.text for answer in answers]:
            self.faults.append(f"what arrived is not the transcript: {arrived}")
        self.shown += [(a.wording, m) for a, m in zip(answers, arrived, strict=False)]
        self.seen = answers[-1].id if answers else self.seen
        return answers

    def _check_manners(self, number: int, answers: Sequence[Answer]) -> None:
        """What holds for every dialogue: who speaks, how, and nothing before the proof."""
        who, facts = self.script.who, self.role.facts
        secrets = [facts["invoice"], *(invoice.what for invoice in self.script.invoices)]
        wrong_form = _FORMAL if who.form == "du" else _FAMILIAR
        for answer in answers:
            if not answer.discloses and any(secret in answer.text for secret in secrets):
                self.faults.append(f"act {number}: {answer.wording} names the claim unguarded")
            if wrong_form.search(answer.text):
                self.faults.append(f"act {number}: {answer.wording} is not in the {who.form} form")
        first = answers[0].text if len(self.shown) == len(answers) > 0 else None
        if first is not None and not _ASSISTANT.search(first):
            self.faults.append(f"act {number}: nobody says that an automated assistant writes")

    async def close(self) -> None:
        """Compare the state at the end."""
        made = self.world.made
        wanted = expected(self.script, self.today)
        now = made.clock.now()
        found, faults = await actual(made.database, self.role, self.address, now)
        self.faults += faults
        self.faults += [
            f"at the end, {name} is {found[name]}, not {wanted[name]}"
            for name in wanted
            if found[name] != wanted[name]
        ]


def _readable(act: Act) -> str:
    readings = [["|".join(sorted(allowed)) for allowed in one] for one in act.answers or ()]
    return " or ".join(map(str, readings)) or f"anything but {sorted(act.never)}"


async def play(world: World, script: Script) -> Play:
    """Play a dialogue from its first line to its end. Raises what stops it half way."""
    now = world.made.clock.now()
    today = now.astimezone(BERLIN).date()
    role = await cast(world.made.database, script, now, today)
    customer: PhoneCustomer | TelegramCustomer
    if script.who.channel is Channel.TELEGRAM:
        profile = script.who.profile or script.who.language or "de"
        customer = TelegramCustomer(world.line, role.chat_id, profile)
    else:
        ours = WHATSAPP_NUMBER if script.who.channel is Channel.WHATSAPP else SMS_NUMBER
        customer = PhoneCustomer(world.line, role.phone, ours, script.who.channel)
    played = Play(script, world, customer, role, today)
    for number, act in enumerate(script.acts, start=1):
        await played.act(number, act)
    await played.close()
    return played
