"""Reads what outreach has to know about customers, some hundred at a time.

Set-based: six statements for any number of customers, and two where something is agreed; balances
are sums over postings. Nothing is written and nothing locked.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    and_,
    any_,
    case,
    exists,
    func,
    literal,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from channels.message import Channel
from ledger import book_rows
from ledger.agreements import AgreementStatus
from ledger.claim import PURSUED, ClaimStatus
from ledger.money import Money
from ledger.posting import Account as LedgerAccount
from ledger.statement import AgreementRecord
from negotiation.policy_data import policy_from_data
from outreach.channel_choice import Account, Point
from outreach.facts import AttemptFacts, CustomerFacts, OpenClaim, Sender, Step, Talk
from outreach.money_facts import money_of
from outreach.rules import rules_of
from outreach.watch import NEWS_DAYS, THANKS_DAYS, local_day
from storage.merchant_events import EventKind
from storage.tables import (
    Agreement,
    ChannelAccount,
    Claim,
    ContactAttempt,
    ContactPoint,
    Conversation,
    Customer,
    Merchant,
    MerchantEvent,
    Message,
    Payment,
    Posting,
)

RECEIVABLES: Final = (LedgerAccount.PRINCIPAL, LedgerAccount.COSTS, LedgerAccount.INTEREST)

LANGUAGES: Final = frozenset({"de", "en"})


class UnknownMerchant(LookupError):
    """There is no merchant with this id, or this session may not see it."""


async def read_sender(session: AsyncSession, merchant_id: int) -> Sender:
    """Read the merchant's side: kind, policy, contact rules, enabled accounts.

    Raises:
        UnknownMerchant: the session sees no such merchant.
        PolicyInvalid, InvalidContactRules, UnknownCountry: the merchant's data cannot be read.
    """
    merchant = await session.get(Merchant, merchant_id)
    if merchant is None:
        raise UnknownMerchant(merchant_id)
    accounts = await session.scalars(
        select(ChannelAccount)
        .where(
            ChannelAccount.merchant_id == merchant_id,
            ChannelAccount.enabled,
            ChannelAccount.channel.in_(list(Channel)),
        )
        .order_by(ChannelAccount.id)
    )
    policy = policy_from_data(merchant.policy)
    return Sender(
        merchant_id=merchant_id,
        collector=merchant.kind == "collector",
        language=merchant.language,
        timezone=merchant.timezone,
        land=merchant.land,
        accounts=[
            Account(row.id, Channel(row.channel), frozenset(row.templates)) for row in accounts
        ],
        policy=policy,
        rules=rules_of(policy.contact_country, policy.contact_rules),
    )


async def next_customer_ids(
    session: AsyncSession, merchant_id: int, *, after: int, limit: int
) -> Sequence[int]:
    """Ids of the next customers with an open or disputed claim, ascending, from above ``after``."""
    # From the claims alone: joined with their customers it took 11 s a page right after a large
    # import, when PostgreSQL has no statistics yet.
    ids = await session.scalars(
        select(Claim.customer_id)
        .distinct()
        .where(
            Claim.merchant_id == merchant_id,
            Claim.customer_id > after,
            Claim.status.in_(PURSUED),
        )
        .order_by(Claim.customer_id)
        .limit(limit)
    )
    return ids.all()


async def watched_customer_ids(
    session: AsyncSession, sender: Sender, *, now: datetime, after: int, limit: int
) -> Sequence[int]:
    """Ids of the next customers with something agreed to be watched, ascending, from above
    ``after``; with those who paid lately or whose payment came back, and with those whose invoice
    falls due soon, where the merchant wants a note of it."""
    agreed = exists().where(
        Agreement.claim_id == Claim.id,
        (Agreement.status == AgreementStatus.ACTIVE)
        | (Agreement.ended_at > now - timedelta(days=THANKS_DAYS + 1)),
    )
    since = now - timedelta(days=NEWS_DAYS + 1)
    moved = select(MerchantEvent.customer_id).where(
        MerchantEvent.merchant_id == sender.merchant_id,
        MerchantEvent.at > since,
        MerchantEvent.kind.in_([EventKind.PAYMENT_RECEIVED, EventKind.PAYMENT_RETURNED]),
    )
    failed = select(Payment.customer_id).where(
        Payment.merchant_id == sender.merchant_id,
        Payment.status == "failed",
        Payment.updated_at > since,
    )
    wanted: ColumnElement[bool] = (
        agreed | Claim.customer_id.in_(moved) | Claim.customer_id.in_(failed)
    )
    if sender.policy.invoice_note_days:
        today = local_day(sender, now)
        until = today + timedelta(days=sender.policy.invoice_note_days)
        wanted |= (Claim.status == ClaimStatus.OPEN) & Claim.due_date.between(today, until)
    ids = await session.scalars(
        select(Claim.customer_id)
        .distinct()
        .where(Claim.merchant_id == sender.merchant_id, Claim.customer_id > after, wanted)
        .order_by(Claim.customer_id)
        .limit(limit)
    )
    return ids.all()


async def read_customers(
    session: AsyncSession, sender: Sender, customer_ids: Sequence[int]
) -> list[CustomerFacts]:
    """Read the facts of these customers of one merchant, in ascending order of their ids."""
    customers = await session.execute(
        select(
            Customer.id,
            Customer.number,
            Customer.language,
            Customer.timezone,
            Customer.land,
            Customer.preferred_channel,
            Customer.contact_paused_until,
            Customer.opted_out_at,
            Customer.contact_from,
            Customer.contact_until,
        )
        .where(Customer.merchant_id == sender.merchant_id, _among(Customer.id, customer_ids))
        .order_by(Customer.id)
    )
    claims, kept = await _claims(session, sender.merchant_id, customer_ids)
    points = await _points(session, sender.merchant_id, customer_ids)
    attempts = await _attempts(session, sender.merchant_id, customer_ids)
    talks = await _talks(session, sender.merchant_id, customer_ids)
    money = await money_of(session, sender.merchant_id, customer_ids)
    return [
        CustomerFacts(
            id=row.id,
            number=row.number,
            language=row.language if row.language in LANGUAGES else None,
            timezone=row.timezone or sender.timezone,
            land=row.land or sender.land,
            preferred_channel=_channel(row.preferred_channel),
            paused_until=row.contact_paused_until,
            talk=talks.get(row.id, Talk()),
            claims=claims.get(row.id, ()),
            kept=kept.get(row.id, ()),
            money=money.get(row.id, ()),
            points=points.get(row.id, ()),
            attempts=attempts.get(row.id, ()),
            stopped=row.opted_out_at is not None,
            contact_from=row.contact_from,
            contact_until=row.contact_until,
        )
        for row in customers
    ]


async def _claims(
    session: AsyncSession, merchant_id: int, customer_ids: Sequence[int]
) -> tuple[Mapping[int, list[OpenClaim]], Mapping[int, list[AgreementRecord]]]:
    """The open and disputed claims, and what was agreed and kept about those that are settled."""
    agreed_upon = exists().where(Agreement.claim_id == Claim.id)
    rows = (
        await session.execute(
            select(
                Claim.id,
                Claim.customer_id,
                Claim.status,
                Claim.currency,
                Claim.due_date,
                Claim.limitation_date,
                Claim.paused_until,
                Claim.confirmed_at,
                Claim.created_at,
                agreed_upon.label("agreed_upon"),
            ).where(
                Claim.merchant_id == merchant_id,
                _among(Claim.customer_id, customer_ids),
                Claim.status.in_(PURSUED) | ((Claim.status == ClaimStatus.SETTLED) & agreed_upon),
            )
        )
    ).all()
    pursued = [claim for claim in rows if claim.status in PURSUED]
    balances = await _balances_minor(session, merchant_id, [claim.id for claim in pursued])
    latest = await _latest_agreements(session, [claim.id for claim in rows if claim.agreed_upon])
    kept: dict[int, list[AgreementRecord]] = defaultdict(list)
    for claim in rows:
        done = latest.get(claim.id) if claim.status not in PURSUED else None
        if done is not None and done.status is AgreementStatus.KEPT:
            kept[claim.customer_id].append(done)
    claims: dict[int, list[OpenClaim]] = defaultdict(list)
    for claim in pursued:
        agreement = latest.get(claim.id)
        claims[claim.customer_id].append(
            OpenClaim(
                id=claim.id,
                status=claim.status,
                balance=Money(balances.get(claim.id, 0), claim.currency),
                due_date=claim.due_date,
                limitation_date=claim.limitation_date,
                paused_until=claim.paused_until,
                confirmed_at=claim.confirmed_at,
                created_at=claim.created_at,
                has_agreement=agreement is not None and agreement.status is AgreementStatus.ACTIVE,
                agreement=agreement,
            )
        )
    return claims, kept


async def _latest_agreements(
    session: AsyncSession, claim_ids: Sequence[int]
) -> Mapping[int, AgreementRecord]:
    """The last agreement about each claim: an active one is always the last."""
    if not claim_ids:
        return {}
    postings = await book_rows.postings_by_claim(session, claim_ids)
    agreements = await book_rows.agreements_by_claim(session, claim_ids)
    return {
        claim_id: book_rows.record_of(rows[-1], postings[claim_id])
        for claim_id, rows in agreements.items()
        if rows
    }


async def _balances_minor(
    session: AsyncSession, merchant_id: int, claim_ids: Sequence[int]
) -> Mapping[int, int]:
    """What is open on each claim: what arrived on its receivables minus what left them.

    A statement of its own: as a subquery for each claim it took 1.2 s a page right after a large
    import, when PostgreSQL has no statistics yet.
    """
    arrived = case((Posting.destination.in_(RECEIVABLES), Posting.amount_minor), else_=0)
    left = case((Posting.source.in_(RECEIVABLES), Posting.amount_minor), else_=0)
    rows = await session.execute(
        select(Posting.claim_id, func.sum(arrived - left))
        .where(Posting.merchant_id == merchant_id, _among(Posting.claim_id, claim_ids))
        .group_by(Posting.claim_id)
    )
    return {claim_id: int(balance) for claim_id, balance in rows}


async def _points(
    session: AsyncSession, merchant_id: int, customer_ids: Sequence[int]
) -> Mapping[int, list[Point]]:
    own = Conversation.customer_id == ContactPoint.customer_id
    opened = func.array_agg(ChannelAccount.id).filter(
        own, Conversation.last_inbound_at.is_not(None)
    )
    rows = await session.execute(
        select(
            ContactPoint.id,
            ContactPoint.customer_id,
            ContactPoint.channel,
            ContactPoint.address,
            ContactPoint.source,
            ContactPoint.match_confidence,
            ContactPoint.consent_at,
            ContactPoint.invalid_at,
            (
                ContactPoint.opted_out_at.is_not(None)
                | func.coalesce(func.bool_or(Conversation.opted_out_at.is_not(None)), False)
            ).label("opted_out"),
            (func.coalesce(func.bool_or(~own), False) | _held_by_earlier_customer()).label(
                "shared"
            ),
            opened.label("opened_accounts"),
            func.coalesce(
                func.bool_or(own & (Conversation.id == Customer.active_conversation_id)), False
            ).label("active"),
        )
        .join(Customer, Customer.id == ContactPoint.customer_id)
        .outerjoin(
            ChannelAccount,
            and_(
                ChannelAccount.merchant_id == ContactPoint.merchant_id,
                ChannelAccount.channel == ContactPoint.channel,
            ),
        )
        .outerjoin(
            Conversation,
            and_(
                Conversation.channel_account_id == ChannelAccount.id,
                Conversation.address == ContactPoint.address,
            ),
        )
        .where(
            ContactPoint.merchant_id == merchant_id,
            _among(ContactPoint.customer_id, customer_ids),
            ContactPoint.channel.in_(list(Channel)),
        )
        .group_by(ContactPoint.id)
        .order_by(ContactPoint.id)
    )
    points: dict[int, list[Point]] = defaultdict(list)
    for row in rows:
        points[row.customer_id].append(
            Point(
                id=row.id,
                channel=Channel(row.channel),
                address=row.address,
                source=row.source,
                match_confidence=row.match_confidence,
                consented=row.consent_at is not None,
                opted_out=row.opted_out,
                invalid=row.invalid_at is not None,
                shared=row.shared,
                opened_accounts=frozenset(row.opened_accounts or ()),
                active=row.active,
            )
        )
    return points


def _held_by_earlier_customer() -> ColumnElement[bool]:
    """Whether the address also stands for an earlier customer with a claim.

    One address has one conversation, and that has one customer; of two candidates the earlier one
    is taken, so that planners in parallel agree.
    """
    other = aliased(ContactPoint)
    return exists().where(
        other.merchant_id == ContactPoint.merchant_id,
        other.channel == ContactPoint.channel,
        other.address == ContactPoint.address,
        other.customer_id < ContactPoint.customer_id,
        other.invalid_at.is_(None),
        exists().where(Claim.customer_id == other.customer_id, Claim.status.in_(PURSUED)),
    )


async def _attempts(
    session: AsyncSession, merchant_id: int, customer_ids: Sequence[int]
) -> Mapping[int, list[AttemptFacts]]:
    rows = await session.execute(
        select(
            ContactAttempt.customer_id,
            ContactAttempt.contact_point_id,
            ContactAttempt.cycle,
            ContactAttempt.step,
            ContactAttempt.at,
            ContactAttempt.about,
            Message.sent_at,
            Message.status,
        )
        .outerjoin(Message, Message.id == ContactAttempt.message_id)
        .where(
            ContactAttempt.merchant_id == merchant_id,
            _among(ContactAttempt.customer_id, customer_ids),
        )
        .order_by(ContactAttempt.id)
    )
    attempts: dict[int, list[AttemptFacts]] = defaultdict(list)
    for row in rows:
        attempts[row.customer_id].append(
            AttemptFacts(
                cycle=row.cycle,
                step=Step(row.step),
                at=row.sent_at or row.at,
                contact_point_id=row.contact_point_id,
                message_status=row.status,
                about=row.about,
            )
        )
    return attempts


async def _talks(
    session: AsyncSession, merchant_id: int, customer_ids: Sequence[int]
) -> Mapping[int, Talk]:
    on_page = (
        select(func.max(Message.created_at))
        .where(
            Message.page_customer_id == Conversation.customer_id,
            Message.direction == "in",
        )
        .scalar_subquery()
    )
    rows = await session.execute(
        select(
            Conversation.customer_id,
            func.greatest(func.max(Conversation.last_inbound_at), on_page),
            func.bool_or(Conversation.state.in_(("waiting", "agent"))),
        )
        .where(
            Conversation.merchant_id == merchant_id,
            _among(Conversation.customer_id, customer_ids),
        )
        .group_by(Conversation.customer_id)
    )
    return {
        customer_id: Talk(last_inbound_at, with_person)
        for customer_id, last_inbound_at, with_person in rows
    }


def _among(column: InstrumentedAttribute[Any], ids: Sequence[int]) -> ColumnElement[bool]:
    """The ids as one array parameter; as a list of parameters they cost more than the query."""
    return column == any_(literal(list(ids), ARRAY(BigInteger)))


def _channel(name: str | None) -> Channel | None:
    """The wished channel; a wish for one that Kulanz does not have is none."""
    return Channel(name) if name in set(Channel) else None
