"""Proving who one is before anything about a claim is said.

Holding the contacted number (or the chat that a one-time link bound) is one factor. To it comes
the invoice, order or customer number, or birth date together with postal code; name and birth
date alone are too weak (GDPR Art. 32). Only facts that the merchant supplied count.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, and_, bindparam, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from conversation import audit
from negotiation.policy import Policy
from negotiation.policy_data import policy_from_data
from storage.statement import Statement
from storage.tables import Claim, Conversation, Customer

TRIES_MAX = 3
NUMBER_CHARACTERS_MIN = 4
"""Shorter numbers are guessed too easily to prove anything."""
NUMBERS_PER_TRY_MAX = 3
_PURSUED = ("open", "disputed")


class Fact(StrEnum):
    """A fact that a customer may prove themselves with."""

    INVOICE_NUMBER = "invoice_number"
    ORDER_NUMBER = "order_number"
    CUSTOMER_NUMBER = "customer_number"
    BIRTH_DATE_AND_POSTAL_CODE = "birth_date_and_postal_code"


class Check(StrEnum):
    """How a try ended. WRONG never tells which fact it was."""

    VERIFIED = "verified"
    WRONG = "wrong"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class Given:
    """What a customer typed: `numbers` in their own spelling, `birth_date` as ISO day."""

    numbers: tuple[str, ...] = ()
    birth_date: str | None = None
    postal_code: str | None = None


@dataclass(frozen=True, slots=True)
class KnownFacts:
    """What the merchant supplied about one customer."""

    invoice_numbers: tuple[str, ...] = ()
    order_numbers: tuple[str, ...] = ()
    customer_number: str | None = None
    birth_date: str | None = None
    postal_code: str | None = None

    def askable(self) -> tuple[Fact, ...]:
        """The facts this customer can prove themselves with, the likeliest at hand first."""
        facts = []
        if _strong(self.invoice_numbers):
            facts.append(Fact.INVOICE_NUMBER)
        if _strong(self.order_numbers):
            facts.append(Fact.ORDER_NUMBER)
        if self.customer_number and _strong([self.customer_number]):
            facts.append(Fact.CUSTOMER_NUMBER)
        if self.birth_date and self.postal_code:
            facts.append(Fact.BIRTH_DATE_AND_POSTAL_CODE)
        return tuple(facts)

    def proved_by(self, given: Given) -> Fact | None:
        """The fact that `given` proves, if any; at most NUMBERS_PER_TRY_MAX numbers count."""
        numbers = _strong(given.numbers[:NUMBERS_PER_TRY_MAX])
        for fact, known in (
            (Fact.INVOICE_NUMBER, self.invoice_numbers),
            (Fact.ORDER_NUMBER, self.order_numbers),
            (Fact.CUSTOMER_NUMBER, (self.customer_number or "",)),
        ):
            if numbers & _strong(known):
                return fact
        if (
            self.birth_date
            and self.postal_code
            and given.birth_date == self.birth_date
            and canonical(given.postal_code or "") == canonical(self.postal_code)
        ):
            return Fact.BIRTH_DATE_AND_POSTAL_CODE
        return None


def canonical(number: str) -> str:
    """A number as it is compared: no spaces or punctuation, capitals, no leading zeros.

    Zeros count as leading at the start and after a prefix of letters (``RE-00123``).
    """
    bare = re.sub(r"[^0-9A-Z]", "", number.upper())
    return re.sub(r"^([A-Z]*)0+(?=[0-9])", r"\1", bare)


def _strong(numbers: Iterable[str]) -> frozenset[str]:
    return frozenset(
        bare for number in numbers if len(bare := canonical(number)) >= NUMBER_CHARACTERS_MIN
    )


_KNOWN = Statement(
    select(
        Customer.number,
        Customer.birth_date,
        Customer.postal_code,
        Claim.invoice_number,
        Claim.order_number,
    )
    .outerjoin(
        Claim,
        and_(
            Claim.customer_id == Customer.id,
            Claim.status.in_([literal_column(f"'{status}'") for status in _PURSUED]),
        ),
    )
    .where(Customer.id == bindparam("customer_id", type_=BigInteger))
)


async def known_facts(session: AsyncSession, customer_id: int) -> KnownFacts:
    """What can prove this customer: the numbers of claims still pursued, and personal data."""
    rows = await _KNOWN.run(session, customer_id=customer_id)
    number, birth_date, postal_code, *_ = rows[0]
    return KnownFacts(
        invoice_numbers=tuple(row.invoice_number for row in rows if row.invoice_number),
        order_numbers=tuple(row.order_number for row in rows if row.order_number),
        customer_number=number,
        birth_date=birth_date.isoformat() if birth_date else None,
        postal_code=postal_code,
    )


def lapse(policy: Policy) -> timedelta:
    """How long a silence a proof survives."""
    return timedelta(minutes=policy.verification_minutes)


def is_verified(
    customer_id: int | None,
    verified_at: datetime | None,
    now: datetime,
    lapses_after: timedelta,
) -> bool:
    """Whether a conversation's person has proved who they are, and was not silent too long since.

    The first two are the conversation's.
    """
    return customer_id is not None and verified_at is not None and now - verified_at <= lapses_after


def proved_at_page(
    customer_id: int | None, page_customer_id: int | None, locked_at: datetime | None
) -> bool:
    """Whether a message was written on the page of the conversation's own customer.

    The page lets nobody write who has not proved who they are, and shows the answer to nobody
    else. The chat itself is not proved by it: another person may hold that phone.
    """
    return customer_id is not None and customer_id == page_customer_id and locked_at is None


def proof_holds(
    customer_id: int | None,
    verified_at: datetime | None,
    policy: Mapping[str, Any],
    now: datetime,
) -> bool:
    """The same by the data of the merchant's policy."""
    return is_verified(customer_id, verified_at, now, lapse(policy_from_data(policy)))


async def check(
    session: AsyncSession, conversation: Conversation, given: Given, now: datetime
) -> Check:
    """Try to verify a conversation; see `judge`. The conversation's row is changed, nothing is
    committed."""
    outcome, proved = await judge(session, conversation, given, now)
    if proved is not None:
        conversation.verified_at = now
        conversation.verified_with = proved.value
    return outcome


async def judge(
    session: AsyncSession,
    conversation: Conversation,
    given: Given,
    now: datetime,
    *,
    at: str | None = None,
) -> tuple[Check, Fact | None]:
    """Whether what was given proves the conversation's customer, and which fact did.

    Each wrong try counts, TRIES_MAX lock the conversation. The tries of all the customer's
    conversations count together: another channel gives a guesser no further ones. A locked one
    stays locked until a person reopens it. `at` names for the audit where it was tried, if not in
    the chat itself.
    """
    where = {"at": at} if at else {}
    if conversation.verification_locked_at is not None or conversation.customer_id is None:
        return Check.LOCKED, None
    left = TRIES_MAX - await _tries(session, conversation)
    if left > 0:
        known = await known_facts(session, conversation.customer_id)
        proved = known.proved_by(given)
        if proved is not None:
            conversation.verification_tries = 0
            audit.note(session, conversation, "verified", now, {"with": proved.value, **where})
            return Check.VERIFIED, proved
        conversation.verification_tries += 1
    if left > 1:
        audit.note(session, conversation, "verification_failed", now, where)
        return Check.WRONG, None
    conversation.verification_locked_at = now
    audit.note(session, conversation, "verification_locked", now, where)
    return Check.LOCKED, None


async def _tries(session: AsyncSession, conversation: Conversation) -> int:
    """Wrong tries in all the customer's conversations in this round; the customer's row is locked,
    so that tries at the same moment are counted one after the other."""
    customer = await lock_customer(session, conversation.customer_id)
    _join_round(conversation, customer)
    tries = await session.scalar(
        select(func.sum(Conversation.verification_tries)).where(
            Conversation.customer_id == customer.id,
            Conversation.verification_round == customer.verification_round,
        )
    )
    return int(tries or 0)


def _join_round(conversation: Conversation, customer: Customer) -> None:
    if conversation.verification_round != customer.verification_round:
        conversation.verification_round = customer.verification_round
        conversation.verification_tries = 0


async def lock_customer(session: AsyncSession, customer_id: int | None) -> Customer:
    """The customer, locked until the transaction ends.

    Rows that refer to them may be written meanwhile: whoever holds a claim and books a payment
    does, and must not wait for somebody who waits for that claim.
    """
    await session.flush()
    return await session.get_one(
        Customer, customer_id, with_for_update={"key_share": True}, populate_existing=True
    )


async def reopen(session: AsyncSession, conversation: Conversation) -> None:
    """Let the customer try again here, wherever the wrong tries were made.

    Another conversation that is locked stays so: somebody else may hold that phone. Its row is not
    touched: whoever holds it may wait for this one, or for the customer, whom a turn takes after
    its conversation as well.
    """
    conversation.verification_locked_at, conversation.verification_tries = None, 0
    if conversation.customer_id is not None:
        customer = await lock_customer(session, conversation.customer_id)
        customer.verification_round += 1
        _join_round(conversation, customer)
