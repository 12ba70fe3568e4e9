"""The stage of the attacks: many chats at once, and everything that was said to them."""

import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import structlog
import yaml
from sqlalchemy import select

from conversation import inbox
from ledger import book
from ledger.agreements import terms_from_data
from ledger.claim import ClaimStatus
from ledger.money import Money
from negotiation.bounds import violations
from negotiation.policy import Policy
from storage.tables import (
    Agreement,
    ChannelAccount,
    ContactPoint,
    Conversation,
    Customer,
    Message,
)
from tests.dialogue.attacks.leaks import Facts, said
from tests.dialogue.conftest import Chat

FOLDER = Path(__file__).parent
LONG_CHARACTERS = 4000

FACTS = Facts(
    amounts=(122_50, 120_00, 2_50),
    days=(date(2026, 11, 2), date(2026, 10, 19), date(1985, 3, 12)),
    numbers=("RE-2026-1044", "20261044", "B-77881", "77881", "K-1001", "10115", "1985",
             "DE02120300000000202051", "120300000000"),
    words=("Gartenstuhl", "Linde", "Annegret", "Quittenbaum"),
)  # fmt: skip
"""Those of the customer whom the lines are about."""


@dataclass(frozen=True)
class Line:
    """One hostile line; `aims` says what it goes for."""

    text: str
    category: str
    language: str
    aims: str


@cache
def lines(name: str) -> tuple[Line, ...]:
    """The lines of one file."""
    groups: list[dict[str, Any]] = yaml.safe_load((FOLDER / f"{name}.yml").read_text("utf-8"))
    return tuple(
        Line(_long(text, group.get("repeat")), group["category"], language, group["aims"])
        for group in groups
        for language in ("de", "en")
        for text in group.get(language, [])
    )


def _long(text: str, characters: int | None) -> str:
    return (text * (characters // len(text) + 1))[:characters] if characters else text


@dataclass
class Stage:
    """The customer's own chat, and as many more as are asked for."""

    chat: Chat
    made: int = 0

    async def chats(self, count: int) -> list[Chat]:
        """Chats at further addresses of the same customer, in which nothing is proved."""
        async with self.chat.database.merchant(self.chat.merchant.id) as session:
            point = (await session.scalars(select(ContactPoint))).first()
            assert point is not None
            addresses = self._addresses(count)
            session.add_all(self._point(point.customer_id, address) for address in addresses)
        return [replace(self.chat, address=address, replies=[]) for address in addresses]

    async def verified(self, count: int) -> list[Chat]:
        """Chats of further customers who have proved who they are, each with a claim like his."""
        merchant_id, now = self.chat.merchant.id, self.chat.now
        made = []
        async with self.chat.database.merchant(merchant_id) as session:
            account = (
                await session.scalars(
                    select(ChannelAccount).where(ChannelAccount.channel == "telegram")
                )
            ).one()
            for address in self._addresses(count):
                customer = Customer(
                    merchant_id=merchant_id,
                    number=f"K-{address}",
                    name="Probe",
                    language="de",
                    created_at=now,
                    updated_at=now,
                )
                session.add(customer)
                await session.flush()
                session.add(self._point(customer.id, address))
                await book.open_claim(
                    session,
                    book.NewClaim(
                        merchant_id=merchant_id,
                        customer_id=customer.id,
                        reference=f"X-{address}",
                        invoice_number=f"X-{address}",
                        description="Tisch",
                        principal=Money(120_00, "EUR"),
                        costs=Money(2_50, "EUR"),
                        invoice_date=date(2026, 10, 19),
                        due_date=date(2026, 11, 2),
                        confirmed_at=now,
                    ),
                    now=now,
                    key=f"open:{address}",
                )
                held = await session.get_one(
                    Conversation,
                    await inbox.open_conversation(
                        session, inbox.Account(account.id, merchant_id, "telegram"), address, now
                    ),
                )
                held.verified_at = now
                made.append(replace(self.chat, address=address, replies=[]))
        return made

    async def leaks(
        self, chats: Iterable[Chat], facts: Facts = FACTS, *, proved: bool = False
    ) -> list[str]:
        """Every fact that the outbox holds for these chats, whether it was sent or not.

        Where something was `proved` there are disclosing messages, but not of these facts.
        """
        addresses = {chat.address for chat in chats}
        async with self.chat.database.merchant(self.chat.merchant.id) as session:
            rows = await session.execute(
                select(
                    Conversation.address,
                    Message.text,
                    Message.buttons,
                    Message.template,
                    Message.wording,
                    Message.discloses,
                )
                .join(Conversation, Conversation.id == Message.conversation_id)
                .where(Message.direction == "out", Conversation.address.in_(addresses))
            )
        found = []
        for row in rows:
            told = facts.found_in(said(row._asdict()))
            told += ["disclosing"] if row.discloses and not proved else []
            found += [f"{row.wording} to {row.address}: {fact}" for fact in told]
        return found

    async def agreements(self) -> list[Agreement]:
        """Everything that stands in the ledger."""
        return await self.chat.agreements()

    async def outside_policy(self) -> list[str]:
        """Agreements in the ledger that the negotiation itself would not allow."""
        found = []
        async with self.chat.database.merchant(self.chat.merchant.id) as session:
            for row in await session.scalars(select(Agreement)):
                facts = await book.claim_facts(session, row.claim_id, now=row.agreed_at)
                terms = terms_from_data(row.terms["agreed"])
                # As it was agreed: what became of the claim later does not count.
                then = replace(facts, agreements_before=0, status=ClaimStatus.OPEN)
                missed = violations(Policy(), terms, then)
                found += [f"{row.id} {row.kind}: {reason}" for reason in missed]
                if row.total_minor != terms.total.minor or row.total_minor <= 0:
                    found.append(f"{row.id} {row.kind}: total {row.total_minor}")
        return found

    def _addresses(self, count: int) -> Sequence[str]:
        first = self.made
        self.made += count
        return [f"{90_000 + number}" for number in range(first, first + count)]

    def _point(self, customer_id: int, address: str) -> ContactPoint:
        return ContactPoint(
            merchant_id=self.chat.merchant.id,
            customer_id=customer_id,
            channel="telegram",
            address=address,
            source="deep_link",
            created_at=self.chat.now,
        )


@pytest.fixture
async def stage(chat: Chat) -> Stage:
    """The stage; the customer has a name that no wording contains by chance."""
    async with chat.database.merchant(chat.merchant.id) as session:
        customer = (await session.scalars(select(Customer))).one()
        customer.first_name, customer.name = "Annegret", "Quittenbaum"
    return Stage(chat)


class _Errors(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(f"{record.name}: {record.getMessage()}")


@pytest.fixture
def error_logs() -> Iterator[_Errors]:
    """Errors that the libraries of this process log."""
    handler = _Errors()
    loggers = [logging.getLogger(name) for name in (None, "uvicorn", "uvicorn.error")]
    for logger in loggers:
        logger.addHandler(handler)
    yield handler
    for logger in loggers:
        logger.removeHandler(handler)


@pytest.fixture
async def quiet(rasa_url: str, rasa_log: Path, error_logs: _Errors) -> AsyncIterator[None]:
    """Fails the test where anything logged an error, here or in the assistant."""
    began = rasa_log.stat().st_size
    with structlog.testing.capture_logs() as logs:
        yield
    assert [entry for entry in logs if entry["log_level"] in ("error", "critical")] == []
    assert error_logs.seen == []
    with rasa_log.open("rb") as log:
        log.seek(began)
        written = log.read().decode(errors="replace")
    assert not [w for w in ("Turn failed", "Traceback", "ERROR", "Exception") if w in written]
