"""A small town of invented customers with every kind of history, by chance but repeatable."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ledger import book
from ledger.agreements import Promise
from ledger.book import NewClaim
from ledger.money import Money
from storage.engine import Database
from storage.tables import (
    AuditEvent,
    Claim,
    ContactAttempt,
    ContactPoint,
    Conversation,
    Customer,
    Handoff,
    Merchant,
    Message,
    Reorder,
)

CHANNELS = ("sms", "whatsapp", "telegram")
AMOUNTS = (12_00, 49_99, 50_00, 84_90, 249_99, 250_00, 900_00)


@dataclass
class Town:
    """Builds customers one by one; what happens lies in the past of ``now``."""

    database: Database
    merchant: Merchant
    accounts: dict[str, int]
    now: datetime
    chance: random.Random
    made: int = 0
    claims: list[Claim] = field(default_factory=list)

    def ago(self, days_max: float) -> datetime:
        return self.now - timedelta(seconds=self.chance.uniform(60, days_max * 86_400))

    def may(self, share: float) -> bool:
        return self.chance.random() < share

    async def customer(self) -> None:
        self.made += 1
        number, channel = self.made, self.chance.choice(CHANNELS)
        of: dict[str, Any] = {"merchant_id": self.merchant.id}
        began = self.ago(80)
        async with self.database.operator() as session:
            who = Customer(
                number=f"K-{number}", name=f"Muster {number}", created_at=began,
                updated_at=began, **of,
            )  # fmt: skip
            session.add(who)
            await session.flush()
            talk = Conversation(
                channel_account_id=self.accounts[channel], channel=channel,
                address=f"+49{number:010d}", customer_id=who.id, created_at=began, **of,
            )  # fmt: skip
            point = ContactPoint(
                customer_id=who.id, channel=channel, address=talk.address,
                source="merchant_import", created_at=began, **of,
            )  # fmt: skip
            session.add_all([talk, point])
            await session.flush()
            if self.may(0.9):
                who.active_conversation_id = talk.id
        for cycle in range(1, self.chance.choice((1, 1, 2)) + 1):
            await self._contact(
                of, who, talk, point, cycle, began + timedelta(days=9 * (cycle - 1))
            )
        for one in range(self.chance.choice((1, 1, 2))):
            await self._claim(who, f"{number}-{one}", began)
        if self.may(0.4):
            async with self.database.operator() as session:
                session.add(
                    Reorder(
                        customer_id=who.id, order_number=f"B-{number}",
                        ordered_on=self.ago(40).date(), currency="EUR", created_at=self.now, **of,
                    )
                )  # fmt: skip

    async def _contact(
        self, of: dict[str, Any], who: Customer, talk: Conversation, point: ContactPoint,
        cycle: int, at: datetime,
    ) -> None:  # fmt: skip
        if at > self.now:
            return
        said: dict[str, Any] = {
            "conversation_id": talk.id, "channel_account_id": talk.channel_account_id,
            "kind": "message", "text": "x", **of,
        }  # fmt: skip
        sent = at + timedelta(minutes=self.chance.randint(0, 300)) if self.may(0.9) else None
        later = sent or at
        async with self.database.operator() as session:
            out = Message(
                direction="out", author="bot", created_at=at, sent_at=sent,
                delivered_at=later + timedelta(minutes=1) if sent and self.may(0.8) else None,
                read_at=later + timedelta(minutes=9) if sent and self.may(0.4) else None, **said,
            )  # fmt: skip
            session.add(out)
            await session.flush()
            session.add(
                ContactAttempt(
                    customer_id=who.id, contact_point_id=point.id, message_id=out.id, cycle=cycle,
                    step="first_contact", reason="due", at=at, **of,
                )
            )  # fmt: skip
            if self.may(0.5):
                answered = later + timedelta(minutes=self.chance.randint(1, 5_000))
                session.add(Message(direction="in", author="customer", created_at=answered, **said))
                about = {"customer_id": who.id, "conversation_id": talk.id, "at": answered, **of}
                if self.may(0.6):
                    session.add(AuditEvent(kind="verified", **about))
                if self.may(0.2):
                    session.add(AuditEvent(kind="opted_out", **about))
                if self.may(0.3):
                    session.add(
                        Handoff(
                            conversation_id=talk.id, reason="asked_for_person",
                            requested_at=answered, closed_at=answered + timedelta(days=1),
                            taken_at=answered + timedelta(hours=2) if self.may(0.6) else None, **of,
                        )
                    )  # fmt: skip

    async def _claim(self, who: Customer, name: str, began: datetime) -> None:
        day = began.date()
        currency = "CHF" if self.may(0.2) else "EUR"
        amount = Money(self.chance.choice(AMOUNTS), currency)
        async with self.database.merchant(self.merchant.id) as session:
            new = NewClaim(
                merchant_id=self.merchant.id, customer_id=who.id, reference=name,
                invoice_number=name, description="Schuhe", principal=amount,
                costs=Money.zero(currency), interest=Money.zero(currency),
                invoice_date=day - timedelta(days=20), due_date=day - timedelta(days=6),
                confirmed_at=began,
            )  # fmt: skip
            claim = await book.open_claim(session, new, now=began, key=f"open:{name}")
        self.claims.append(claim)
        happens = self.chance.choice(
            ("nothing", "paid", "paid", "part", "promise", "kept", "broken", "back", "disputed")
        )
        when = min(began + timedelta(hours=self.chance.randint(1, 400)), self.now)
        async with self.database.merchant(self.merchant.id) as session:
            if happens in ("promise", "kept", "broken"):
                agreed = await book.agree(
                    session, claim.id, Promise(amount, when.date() + timedelta(days=3)),
                    guard=lambda terms, facts: None, now=when, key=f"agree:{name}",
                )  # fmt: skip
            if happens in ("paid", "part", "kept", "back"):
                share = Money(amount.minor // 3, currency) if happens == "part" else amount
                await book.post_payment(
                    session, claim.id, share, value_date=when.date(), now=when, key=f"pay:{name}"
                )
            if happens == "broken":
                await book.break_agreement(session, agreed.id, "missed", now=when)
            if happens == "disputed":
                await book.dispute(session, claim.id, "goods", now=when)
        if happens == "back":
            again = min(when + timedelta(days=2), self.now)
            async with self.database.merchant(self.merchant.id) as session:
                await book.post_return(
                    session, claim.id, amount, value_date=again.date(), now=again,
                    key=f"back:{name}", payment_key=f"pay:{name}",
                )  # fmt: skip
