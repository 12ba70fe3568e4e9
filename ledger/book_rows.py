"""Rows of the ledger's tables read into values and written from them, one claim at a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ARRAY, BigInteger, ColumnElement, any_, bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from ledger.agreements import AgreementStatus, terms_from_data
from ledger.chain import chained
from ledger.claim import OpenAmount
from ledger.errors import ClaimUnknown, CurrencyDiffers, IdempotencyConflict
from ledger.money import Money
from ledger.posting import Account, Marking, Movement, Posting, PostingKind, open_amount
from ledger.statement import AgreementRecord, Receipt, agreement_progress
from storage.bulk import insert_rows
from storage.statement import Statement
from storage.tables import Agreement as AgreementRow
from storage.tables import AuditEvent, Base, Claim, Merchant
from storage.tables import Posting as PostingRow


@dataclass
class OpenBook:
    """A claim that this transaction holds locked, with all its postings."""

    claim: Claim
    postings: list[Posting]
    unwritten: list[dict[str, Any]] | None = None
    """Where new postings wait, with those of other claims, until :func:`write` is called."""

    @property
    def currency(self) -> str:
        return self.claim.currency

    @property
    def open(self) -> OpenAmount:
        """What is open after all postings."""
        return open_amount(self.postings, self.claim.currency)

    def marking(self, wanted: Marking) -> Marking:
        """What a payment is for; by law consumer loans have an order of their own."""
        if wanted is Marking.BY_LAW and self.claim.consumer_loan:
            return Marking.CONSUMER_LOAN
        return wanted

    def require_currency(self, *amounts: Money) -> None:
        """Raise ``CurrencyDiffers`` unless all amounts are in the claim's currency."""
        for amount in amounts:
            if amount.currency != self.claim.currency:
                raise CurrencyDiffers(f"{amount.currency} on a claim in {self.claim.currency}")


def posting_of(row: Any, number_of: dict[int, int]) -> Posting:
    """Read a row of the table; ``number_of`` maps posting ids of the claim to their numbers."""
    return Posting(
        claim_id=row.claim_id,
        number=row.number,
        kind=PostingKind(row.kind),
        source=Account(row.source),
        destination=Account(row.destination),
        amount=Money(row.amount_minor, row.currency),
        value_date=row.value_date,
        booked_at=row.booked_at,
        reverses=None if row.reverses_id is None else number_of[row.reverses_id],
        idempotency_key=row.idempotency_key,
        input_hash=row.input_hash,
        previous_hash=row.previous_hash,
        hash=row.hash,
        marking=None if row.marking is None else Marking(row.marking),
        rebooks=row.rebooks,
    )


def posting_values(posting: Posting, merchant_id: int, reverses_id: int | None) -> dict[str, Any]:
    """Column values of a posting; ``id`` is the table's to give."""
    return {
        "merchant_id": merchant_id,
        "claim_id": posting.claim_id,
        "number": posting.number,
        "kind": posting.kind.value,
        "source": posting.source.value,
        "destination": posting.destination.value,
        "amount_minor": posting.amount.minor,
        "currency": posting.amount.currency,
        "value_date": posting.value_date,
        "booked_at": posting.booked_at,
        "reverses_id": reverses_id,
        "idempotency_key": posting.idempotency_key,
        "input_hash": posting.input_hash,
        "previous_hash": posting.previous_hash,
        "hash": posting.hash,
        "marking": None if posting.marking is None else posting.marking.value,
        "rebooks": posting.rebooks,
    }


_claim_ids = bindparam("claim_ids", type_=ARRAY(BigInteger))
_postings = Base.metadata.tables[PostingRow.__tablename__]
_POSTINGS = Statement(
    select(_postings)
    .where(_postings.c.claim_id == any_(_claim_ids))
    .order_by(_postings.c.claim_id, _postings.c.number)
)
_AGREEMENTS = (
    select(AgreementRow)
    .where(AgreementRow.claim_id == any_(_claim_ids))
    .order_by(AgreementRow.id)
    .execution_options(populate_existing=True)
)


async def postings_by_claim(
    session: AsyncSession, claim_ids: Iterable[int]
) -> dict[int, list[Posting]]:
    """All postings of these claims in the order of their chains."""
    by_claim: dict[int, list[Posting]] = {claim_id: [] for claim_id in claim_ids}
    number_of: dict[int, int] = {}
    for row in await _POSTINGS.run(session, claim_ids=list(by_claim)):
        number_of[row.id] = row.number
        by_claim[row.claim_id].append(posting_of(row, number_of))
    return by_claim


async def agreements_by_claim(
    session: AsyncSession, claim_ids: Iterable[int]
) -> dict[int, list[AgreementRow]]:
    """All agreements of these claims, oldest first."""
    by_claim: dict[int, list[AgreementRow]] = {claim_id: [] for claim_id in claim_ids}
    for row in await session.scalars(_AGREEMENTS, {"claim_ids": list(by_claim)}):
        by_claim[row.claim_id].append(row)
    return by_claim


async def read_claim(session: AsyncSession, claim_id: int) -> Claim:
    """The claim as stored now; raises ``ClaimUnknown``."""
    claim = await session.get(Claim, claim_id, populate_existing=True)
    if claim is None:
        raise ClaimUnknown(claim_id)
    return claim


async def open_book(session: AsyncSession, claim_id: int) -> OpenBook:
    """Lock the claim until the transaction ends and read its postings; raises ``ClaimUnknown``."""
    claim = await session.scalar(
        select(Claim)
        .where(Claim.id == claim_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if claim is None:
        raise ClaimUnknown(claim_id)
    return OpenBook(claim, (await postings_by_claim(session, [claim_id]))[claim_id])


async def lock_claims(session: AsyncSession, *which: ColumnElement[bool]) -> None:
    """Lock claims in the order of their ids.

    Everybody who takes more than one does it in this order, so that nobody waits for somebody who
    waits for them.
    """
    held = select(Claim.id).where(*which).order_by(Claim.id).with_for_update().subquery()
    await session.execute(select(func.count()).select_from(held))


async def open_books(session: AsyncSession, claim_ids: Iterable[int]) -> dict[int, OpenBook]:
    """Lock these claims, in the order of their ids, and read their postings.

    What is posted on them waits in one list for :func:`write`. Claims that are not there are
    left out.
    """
    claims = await session.scalars(
        select(Claim)
        .where(Claim.id == any_(_claim_ids))
        .order_by(Claim.id)
        .with_for_update()
        .execution_options(populate_existing=True),
        {"claim_ids": sorted(set(claim_ids))},
    )
    held = {claim.id: claim for claim in claims}
    postings = await postings_by_claim(session, held)
    unwritten: list[dict[str, Any]] = []
    return {
        claim_id: OpenBook(claim, postings[claim_id], unwritten) for claim_id, claim in held.items()
    }


async def write(session: AsyncSession, unwritten: list[dict[str, Any]]) -> None:
    """Write postings that wait, all at once."""
    await insert_rows(session, _postings, unwritten)
    unwritten.clear()


async def next_claim_id(session: AsyncSession) -> int:
    """Draw the number of a new claim; its RF reference is made from it."""
    sequence = "SELECT nextval(pg_get_serial_sequence('claim', 'id'))"
    return int((await session.execute(text(sequence))).scalar_one())


async def local_day(session: AsyncSession, claim: Claim, moment: datetime) -> date:
    """The calendar day at the claim's merchant."""
    zone = await session.scalar(select(Merchant.timezone).where(Merchant.id == claim.merchant_id))
    return moment.astimezone(ZoneInfo(zone or "UTC")).date()


async def replayed(
    session: AsyncSession, merchant_id: int, key: str, input_hash: str
) -> Receipt | None:
    """The receipt of a command that was carried out before, the same as then.

    Raises ``IdempotencyConflict`` when the key was used with another input.
    """
    first = await session.scalar(
        select(PostingRow).where(
            PostingRow.merchant_id == merchant_id, PostingRow.idempotency_key == f"{key}#1"
        )
    )
    if first is None:
        return None
    if first.input_hash != input_hash:
        raise IdempotencyConflict(key)
    postings = (await postings_by_claim(session, [first.claim_id]))[first.claim_id]
    return receipt(first.claim_id, postings, key, first.currency)


def receipt(claim_id: int, postings: Sequence[Posting], key: str, currency: str) -> Receipt:
    """What the command with this key posted, and what was open after it."""
    made = tuple(posting for posting in postings if posting.command_key == key)
    until = made[-1].number if made else len(postings)
    return Receipt(claim_id, made, open_amount(postings[:until], currency))


async def append(
    session: AsyncSession,
    book: OpenBook,
    movements: Sequence[Movement],
    *,
    value_date: date,
    now: datetime,
    key: str,
    input_hash: str,
) -> None:
    """Post movements of one command behind the claim's last posting."""
    if not movements:
        return
    postings = chained(
        book.claim.id,
        book.postings[-1] if book.postings else None,
        movements,
        value_date=value_date,
        booked_at=now,
        key=key,
        input_hash=input_hash,
        position=1 + sum(posting.command_key == key for posting in book.postings),
    )
    undone = [posting.reverses for posting in postings if posting.reverses is not None]
    ids: dict[int, int] = {}
    for posting in postings:
        if posting.reverses is not None and posting.reverses not in ids:
            # What is undone may wait to be written: an earlier command's, or this one's own, where
            # a payment is booked anew and its return behind it.
            await _write_waiting(session, book)
            ids |= await _ids(session, book.claim.id, undone)
        reverses_id = None if posting.reverses is None else ids[posting.reverses]
        values = posting_values(posting, book.claim.merchant_id, reverses_id)
        if book.unwritten is None:
            session.add(PostingRow(**values))
        else:
            book.unwritten.append(values)
    if book.unwritten is None:
        await session.flush()
    book.postings.extend(postings)


async def _write_waiting(session: AsyncSession, book: OpenBook) -> None:
    if book.unwritten is None:
        await session.flush()
    else:
        await write(session, book.unwritten)


async def _ids(session: AsyncSession, claim_id: int, numbers: Sequence[int]) -> dict[int, int]:
    """The ids of those of a claim's postings that are written."""
    found = await session.execute(
        select(PostingRow.number, PostingRow.id).where(
            PostingRow.claim_id == claim_id, PostingRow.number.in_(numbers)
        )
    )
    return {row.number: row.id for row in found}


def record_of(row: AgreementRow, postings: Sequence[Posting]) -> AgreementRecord:
    """Read an agreement, with its progress after these postings of the claim.

    What was paid after it ended counts for the next agreement, not for this one.
    """
    terms = terms_from_data(row.terms["agreed"])
    counted = postings[: row.terms.get("ended_after_posting")]
    return AgreementRecord(
        id=row.id,
        claim_id=row.claim_id,
        conversation_id=row.conversation_id,
        status=AgreementStatus(row.status),
        terms=terms,
        agreed_at=row.agreed_at,
        ended_at=row.ended_at,
        end_reason=row.end_reason,
        progress=agreement_progress(terms, counted, row.terms["after_posting"]),
        because=row.terms.get("because"),
    )


async def agreement_rows(session: AsyncSession, claim_id: int) -> list[AgreementRow]:
    """All agreements of a claim, oldest first."""
    return (await agreements_by_claim(session, [claim_id]))[claim_id]


async def is_reference_taken(session: AsyncSession, merchant_id: int, reference: str) -> bool:
    """Whether the merchant has a claim with this reference."""
    found = await session.scalar(
        select(func.count()).where(Claim.merchant_id == merchant_id, Claim.reference == reference)
    )
    return bool(found)


def audit(
    session: AsyncSession, claim: Claim, kind: str, now: datetime, **facts: str | int | None
) -> None:
    """Record that something happened to a claim."""
    session.add(
        AuditEvent(
            merchant_id=claim.merchant_id,
            kind=kind,
            at=now,
            customer_id=claim.customer_id,
            claim_id=claim.id,
            facts=facts,
        )
    )
