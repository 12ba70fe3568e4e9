"""Taking bank statements into the ledger: every movement once, all or nothing.

Never commits; the caller's transaction decides.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession

from ledger.bank import known
from ledger.bank.accounts import owned
from ledger.bank.entry import BankStatement, Movement
from ledger.bank.identity import Acquaintance, Identified, Register, identified, together
from ledger.bank.identity import Stored as KnownMovement
from ledger.bank.matching import NO_MATCH, Doubt, Evidence, Match, Share
from ledger.bank.returns import Paid, PaidBefore
from ledger.book_bank import BankBook
from ledger.errors import LedgerError
from ledger.intake_book import ROWS_PER_BREATH, Source
from ledger.intake_sql import LOCK
from ledger.money import Money
from storage.bulk import insert_rows
from storage.tables import BankMovement, Base, IntakeBatch


@dataclass(frozen=True, slots=True)
class Account:
    """A merchant as statements are read for it: its own IBANs and its calendar day."""

    merchant_id: int
    ibans: tuple[str, ...]
    today: date
    now: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one movement; ``state`` may be ``repeated`` too, which is kept nowhere."""

    statement: str
    entry: int
    booked: date
    amount: Money
    state: str
    claims: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    doubt: str | None = None


_MOVEMENTS = Base.metadata.tables[BankMovement.__tablename__]
STATES = ("posted", "suggested", "unmatched", "repeated")


@dataclass(frozen=True, slots=True)
class StatementsOutcome:
    """What an intake of statements did. Each movement has one of ``STATES``.

    ``entries`` counts what is booked, ``pending`` what is not booked yet and was left aside.
    """

    batch_id: int
    statements: int
    entries: int
    pending: int
    taken: tuple[Taken, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Movements by state."""
        counted = Counter(taken.state for taken in self.taken)
        return {state: counted[state] for state in STATES}

    @property
    def sums(self) -> dict[str, dict[str, Money]]:
        """What the movements of each state add up to, by currency, with ``total``."""
        sums: dict[str, dict[str, Money]] = {}
        for taken in self.taken:
            currency = taken.amount.currency
            by_state = sums.setdefault(
                currency, {state: Money.zero(currency) for state in (*STATES, "total")}
            )
            by_state[taken.state] += taken.amount
            by_state["total"] += taken.amount
        return sums


async def take_statements(
    session: AsyncSession,
    statements: Sequence[BankStatement],
    account: Account,
    source: Source,
    *,
    progress: Callable[[int], None] = lambda movements: None,
) -> StatementsOutcome:
    """Keep every movement that is not known yet, and post those that are sure.

    Raises:
        StatementRefused: a statement is about another account; nothing has changed.
    """
    intake = _Intake(session, account, progress)
    listed = owned(statements, account.ibans)
    # One at a time for a merchant, and none beside another import that locks claims.
    await session.execute(text(LOCK), {"merchant": account.merchant_id})
    await intake.sort(listed)
    await intake.match()
    await intake.post()
    outcome = await intake.store(source, statements)
    if len(outcome.taken) != sum(len(statement.movements) for statement in statements):
        raise RuntimeError("a movement was lost")  # and with it the whole intake is undone
    return outcome


@dataclass(slots=True)
class _New:
    """A movement that was not known, on its way into the ledger."""

    place: int
    item: Identified
    position: int
    perhaps: bool
    match: Match = NO_MATCH
    state: str = "unmatched"
    paid: Paid | None = None
    """Of a return: the payment that came back."""
    customer_id: int | None = None

    @property
    def movement(self) -> Movement:
        return self.item.movement

    @property
    def key(self) -> str:
        """What its commands in the ledger are known by."""
        return payment_key(self.item.content, self.position, 0)


def payment_key(content: str, position: int, attempts: int) -> str:
    """The key of a movement's commands; each posting after an undoing has another."""
    return f"bank:{content}-{position}" + (f"/{attempts}" if attempts else "")


class _Intake:
    """One intake, with what it found out so far."""

    def __init__(
        self, session: AsyncSession, account: Account, progress: Callable[[int], None]
    ) -> None:
        self.session = session
        self.account = account
        self.progress = progress
        self.new: list[_New] = []
        self.taken: dict[int, Taken] = {}
        self.ordered: list[_New] = []
        self.references: dict[int, str] = {}
        """Bank references that an earlier file did not have yet, by movement."""

    async def sort(self, listed: Sequence[tuple[str, BankStatement]]) -> None:
        """Tell what is known from what is new, one statement after the other."""
        accounts = dict(zip((id(statement) for _, statement in listed), listed, strict=True))
        parts = together([statement for _, statement in listed])
        groups = await asyncio.to_thread(
            lambda: [identified([accounts[id(one)] for one in group]) for group in parts]
        )
        register = Register(
            await known.stored(self.session, [item for group in groups for item in group])
        )
        place = 0
        for group in groups:
            await asyncio.sleep(0)
            added: list[KnownMovement] = []
            alike = Counter[str]()
            for item, acquaintance, met in register.sort(group):
                if acquaintance is Acquaintance.KNOWN and met is not None:
                    self.taken[place] = self._taken(item, "repeated")
                    if met.id > 0 and met.reference is None and item.reference is not None:
                        self.references[met.id] = item.reference
                else:
                    alike[item.content] += 1
                    position = register.alike(item.content) + alike[item.content]
                    perhaps = acquaintance is Acquaintance.PERHAPS
                    self.new.append(_New(place, item, position, perhaps))
                    added.append(_as_stored(item, -place - 1))
                place += 1
            for movement in added:
                register.add(movement)

    async def match(self) -> None:
        """Find the claims, in the order in which money moved."""
        if not self.new:
            return
        matcher = await known.matcher(
            self.session,
            self.account.merchant_id,
            {new.movement.payer_iban for new in self.new if new.movement.payer_iban},
            now=self.account.now,
            today=self.account.today,
        )
        paid: PaidBefore | None = None
        ordered = sorted(self.new, key=lambda new: (new.movement.booked, not new.movement.incoming))
        for count, new in enumerate(ordered, 1):
            if count % ROWS_PER_BREATH == 0:
                await asyncio.sleep(0)
                self.progress(count)
            movement = new.movement
            if movement.incoming and _is_payment(movement):
                new.match = matcher.match(movement)
                if new.match.sure and not new.perhaps:
                    matcher.post(movement, new.match)
                    if paid is not None:
                        paid.add(_paid(new))
            elif _comes_back(movement):
                if paid is None:
                    paid = await known.paid_before(
                        self.session,
                        self.account.merchant_id,
                        [new.movement for new in ordered if _comes_back(new.movement)],
                    )
                    for earlier in ordered[: count - 1]:
                        if earlier.state == "posted" and earlier.movement.incoming:
                            paid.add(_paid(earlier))
                new.match, new.paid = paid.match(movement)
                if new.match.sure and not new.perhaps and new.paid is not None:
                    new.paid.returned = True
            else:
                new.match = Match(doubt=_why_not(movement))
            if new.perhaps and new.match.doubt not in (Doubt.OUTGOING, Doubt.ZERO):
                new.match = replace(new.match, doubt=Doubt.PERHAPS_REPEATED)
            new.state = (
                "posted" if new.match.sure else "suggested" if new.match.shares else "unmatched"
            )
        self.ordered = ordered

    async def post(self) -> None:
        """Post what is sure."""
        sure = [new for new in self.ordered if new.state == "posted"]
        if not sure:
            return
        claims = {share.claim_id for new in sure for share in new.match.shares}
        book = await BankBook.opened(self.session, claims, now=self.account.now)
        posted: dict[str, tuple[Share, ...]] = {}
        for count, new in enumerate(sure, 1):
            if count % ROWS_PER_BREATH == 0:
                await asyncio.sleep(0)
            try:
                if new.paid is not None:
                    shares = posted.get(new.paid.key, new.match.shares)
                else:
                    shares = await shares_by_law(book, new.match, new.movement.value_date)
                    posted[new.key] = shares
                new.match = replace(new.match, shares=shares)
                customers = await post_shares(
                    book,
                    shares,
                    currency=new.movement.amount.currency,
                    value_date=new.movement.value_date,
                    key=new.key,
                    paid_key=new.paid.key if new.paid else None,
                )
            except LedgerError:
                # What came back is not there any more, for instance because a person undid it.
                new.state, new.match = "suggested", replace(new.match, doubt=Doubt.RETURN_UNKNOWN)
            else:
                new.customer_id = customers.pop() if len(customers) == 1 else None
        await book.write()

    async def store(self, source: Source, statements: Sequence[BankStatement]) -> StatementsOutcome:
        """Keep the new movements, and say what became of all."""
        counted = Counter(new.state for new in self.new)
        total = len(self.new) + len(self.taken)
        batch = IntakeBatch(
            merchant_id=self.account.merchant_id,
            kind=source.kind,
            name=source.name,
            sha256=source.sha256,
            rows_total=total,
            rows_added=counted["posted"],
            rows_changed=counted["suggested"],
            rows_unchanged=total - counted["posted"] - counted["suggested"],
            at=self.account.now,
        )
        self.session.add(batch)
        await self.session.flush()
        await insert_rows(self.session, _MOVEMENTS, [self._row(new, batch.id) for new in self.new])
        for movement_id, reference in self.references.items():
            await self.session.execute(
                update(BankMovement)
                .where(BankMovement.id == movement_id)
                .values(reference=reference)
            )
        names = await known.claim_references(
            self.session,
            {share.claim_id for new in self.new for share in new.match.shares},
        )
        for new in self.new:
            self.taken[new.place] = replace(
                self._taken(new.item, new.state),
                claims=tuple(names[share.claim_id] for share in new.match.shares),
                evidence=new.match.evidence,
                doubt=new.match.doubt.value if new.match.doubt else None,
            )
        return StatementsOutcome(
            batch.id,
            len(statements),
            sum(statement.entries for statement in statements),
            sum(statement.pending for statement in statements),
            tuple(self.taken[place] for place in sorted(self.taken)),
        )

    def _taken(self, item: Identified, state: str) -> Taken:
        movement = item.movement
        return Taken(
            item.statement.number, movement.entry + 1, movement.booked, movement.amount, state
        )

    def _row(self, new: _New, batch_id: int) -> dict[str, Any]:
        movement = new.movement
        # The shop's own rents and wages are none of our business.
        told = movement.incoming or _comes_back(movement)
        return {
            "merchant_id": self.account.merchant_id,
            "batch_id": batch_id,
            "account": new.item.account,
            "format": new.item.statement.format,
            "statement_number": new.item.statement.number,
            "booked": movement.booked,
            "value_date": movement.value_date,
            "amount_minor": movement.amount.minor,
            "currency": movement.amount.currency,
            "content": new.item.content,
            "position": new.position,
            "reference": new.item.reference,
            "payer_name": movement.payer_name if told else None,
            "payer_iban": movement.payer_iban if told else None,
            "text": movement.text if told else "",
            "end_to_end_id": movement.end_to_end_id if told else None,
            "mandate_id": movement.mandate_id if told else None,
            "code": movement.code,
            "returned": movement.returned,
            "original_minor": movement.original.minor if movement.original else None,
            "state": new.state,
            "match": match_data(new.match),
            "customer_id": new.customer_id,
            "payment_key": new.key if new.state == "posted" else None,
            "returns_key": new.paid.key if new.paid is not None else None,
            "created_at": self.account.now,
        }


async def shares_by_law(book: BankBook, match: Match, value_date: date) -> tuple[Share, ...]:
    """The shares of a payment for several claims, by what is open on its day (§ 366 BGB).

    As they are where there is only one, or where the payer's sum tells what is meant for each.
    Raises ``ClaimUnknown``.
    """
    if len(match.shares) < 2 or Evidence.TOTAL.value in match.evidence:
        return match.shares
    minor = {share.claim_id: share.minor or 0 for share in match.shares}
    spread = await book.spread(minor, sum(minor.values()), value_date=value_date)
    return tuple(Share(claim_id, part.minor) for claim_id, part in spread.items())


async def post_shares(
    book: BankBook,
    shares: Sequence[Share],
    *,
    currency: str,
    value_date: date,
    key: str,
    paid_key: str | None = None,
) -> set[int]:
    """Post the shares of a payment, or take back those of the one under ``paid_key``.

    Returns the customers. Raises what :class:`ledger.book_bank.BankBook` raises.
    """
    customers = set()
    for share in shares:
        if share.minor is None:
            raise ValueError("a share without an amount is for a person")
        amount = Money(share.minor, currency)
        if paid_key is None:
            await book.pay(share.claim_id, amount, value_date=value_date, key=key)
        else:
            await book.take_back(
                share.claim_id, amount, value_date=value_date, key=key, paid_key=paid_key
            )
        customers.add(book.customer(share.claim_id))
    return customers


def match_data(match: Match) -> dict[str, Any]:
    """A match as it is kept."""
    return {
        "shares": [{"claim": share.claim_id, "minor": share.minor} for share in match.shares],
        "evidence": list(match.evidence),
        "doubt": match.doubt.value if match.doubt else None,
        "others": list(match.others),
    }


def _as_stored(item: Identified, number: int) -> KnownMovement:
    return KnownMovement(
        id=number,
        account=item.account,
        booked=item.movement.booked,
        amount_minor=item.movement.amount.minor,
        content=item.content,
        reference=item.reference,
        payer_iban=item.movement.payer_iban,
        format=item.statement.format,
    )


def _paid(new: _New) -> Paid:
    movement = new.movement
    return Paid(
        key=new.key,
        amount_minor=movement.amount.minor,
        currency=movement.amount.currency,
        booked=movement.booked,
        payer_iban=movement.payer_iban,
        end_to_end_id=movement.end_to_end_id,
        mandate_id=movement.mandate_id,
        text=movement.text,
        shares=new.match.shares,
    )


def _is_payment(movement: Movement) -> bool:
    return not movement.reversal and movement.returned is None


def _comes_back(movement: Movement) -> bool:
    """Whether money that had arrived goes back: returned, recalled, or its booking reversed."""
    return movement.amount.minor < 0 and not _is_payment(movement)


def _why_not(movement: Movement) -> Doubt:
    if not movement.amount:
        return Doubt.ZERO
    if not movement.incoming:
        return Doubt.OUTGOING
    return Doubt.REVERSED_DEBIT if movement.reversal else Doubt.RETURNED_TO_US
