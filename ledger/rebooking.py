"""Booking anew: what a claim's account would be, had everything arrived in order of value dates.

A payment is allocated as of its value date: to the interest that had accrued until then, then to
the principal, which bears less interest from the next day on. So where an earlier value date, or
another base rate, comes in later, the postings after it are undone one by one and booked anew,
each with its own value date. Nothing is edited; the chain shows both.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from ledger import posting as movements
from ledger.base_rate import SHIPPED, BaseRate
from ledger.claim import OpenAmount
from ledger.interest import Interest, PrincipalChange, Span, default_interest
from ledger.money import Money, total
from ledger.posting import LET_GO, Account, Marking, Movement, Posting, PostingKind, effective

DERIVED = frozenset({PostingKind.INTEREST, PostingKind.SET_OFF, PostingKind.REBOOKING})
"""What follows from the rest, and is reckoned anew instead of repeated."""


@dataclass(frozen=True, slots=True)
class InterestTerms:
    """What default interest on a claim depends on besides its postings."""

    default_since: date | None = None
    points: Decimal = Decimal(0)
    stopped: tuple[Span, ...] = ()
    rates: tuple[BaseRate, ...] = SHIPPED

    def in_default(self, day: date) -> bool:
        """Whether the claim is in default that day: an agreement that gives time suspends it."""
        given_time = any(span.first <= day <= span.last for span in self.stopped)
        return self.default_since is not None and self.default_since <= day and not given_time


NO_INTEREST = InterestTerms()


def accrued(
    postings: Sequence[Posting], terms: InterestTerms, through: date, currency: str
) -> Interest:
    """Default interest on the principal that these postings make up, through that day."""
    return default_interest(
        principal_changes(postings),
        default_since=terms.default_since,
        through=through,
        points=terms.points,
        stopped=terms.stopped,
        currency=currency,
        rates=terms.rates,
    )


def principal_changes(postings: Sequence[Posting]) -> list[PrincipalChange]:
    """What made the principal higher or lower, of what counts."""
    changes = []
    for posting in effective(postings):
        if posting.destination is Account.PRINCIPAL:
            changes.append(PrincipalChange(posting.value_date, posting.amount))
        elif posting.source is Account.PRINCIPAL:
            changes.append(PrincipalChange(posting.value_date, -posting.amount))
    return changes


def interest_due(
    postings: Sequence[Posting], terms: InterestTerms, through: date, currency: str
) -> Money:
    """The interest through that day that is not charged yet; negative where too much is."""
    charged = total(
        (
            posting.amount
            for posting in effective(postings)
            if posting.kind is PostingKind.INTEREST and posting.value_date <= through
        ),
        currency,
    )
    return interest_asked(postings, terms, through, currency) - charged


def interest_asked(
    postings: Sequence[Posting], terms: InterestTerms, through: date, currency: str
) -> Money:
    """The interest that is asked for through that day besides what the merchant had charged
    before it handed the claim over."""
    opened = total(
        (
            posting.amount
            for posting in effective(postings)
            if posting.kind is PostingKind.OPENING and posting.destination is Account.INTEREST
        ),
        currency,
    )
    owed = accrued(postings, terms, through, currency).amount - opened
    return max(owed, Money.zero(currency))


def first_wrong_day(
    postings: Sequence[Posting], terms: InterestTerms, currency: str
) -> date | None:
    """The first day with postings at whose end the interest charged is not what it has to be."""
    days = {
        posting.value_date
        for posting in effective(postings)
        if posting.kind is not PostingKind.OPENING
    }
    return next((d for d in sorted(days) if interest_due(postings, terms, d, currency)), None)


def last_day(postings: Sequence[Posting]) -> date | None:
    """The latest value date of what counts."""
    return max((posting.value_date for posting in effective(postings)), default=None)


def later(
    postings: Sequence[Posting], day: date, terms: InterestTerms, currency: str
) -> tuple[list[Posting], list["Act"]]:
    """What has to be taken back before something with this value date is posted, and what then
    has to be booked anew, in the order of value dates.

    Nothing where no interest runs, since then the order of payments changes nothing.
    """
    wrong = first_wrong_day(postings, terms, currency)
    if terms.default_since is None and wrong is None:
        return [], []

    def comes_later(posting: Posting) -> bool:
        return posting.kind is not PostingKind.OPENING and (
            posting.value_date > day or (wrong is not None and posting.value_date >= wrong)
        )

    standing = [posting for posting in effective(postings) if comes_later(posting)]
    standing.sort(key=lambda posting: (posting.value_date, posting.number))
    return standing, _acts([posting for posting in postings if comes_later(posting)], postings)


def undoing(tail: Iterable[Posting]) -> tuple[Movement, ...]:
    """Take postings back, the last one first, each on its own value date."""
    return tuple(
        replace(back, kind=PostingKind.REBOOKING, value_date=posting.value_date)
        for posting in reversed(list(tail))
        for back in movements.reversal([posting])
    )


@dataclass(frozen=True, slots=True)
class Act:
    """Postings of one kind that one command made on one day, to be booked anew together."""

    value_date: date
    origin: int
    kind: PostingKind
    postings: tuple[Posting, ...]


def _acts(later: Sequence[Posting], postings: Sequence[Posting]) -> list[Act]:
    """What happened, as it was first posted: a waiver that once found less to let go is whole."""
    grouped: dict[tuple[date, int, PostingKind], list[Posting]] = {}
    firsts = first_numbers(postings)
    for posting in later:
        if posting.rebooks is None and posting.kind not in DERIVED:
            key = (posting.value_date, origin(posting, firsts), posting.kind)
            grouped.setdefault(key, []).append(posting)
    return [Act(*key, tuple(grouped[key])) for key in sorted(grouped, key=lambda key: key[:2])]


def first_numbers(postings: Iterable[Posting]) -> dict[str, int]:
    """The number of the first posting of each command, by the command's key."""
    firsts: dict[str, int] = {}
    for posting in postings:
        firsts.setdefault(posting.command_key, posting.number)
    return firsts


def origin(posting: Posting, firsts: Mapping[str, int]) -> int:
    """Number of the first posting of the command whose effect this posting is."""
    return firsts[posting.command_key] if posting.rebooks is None else posting.rebooks


def made_by(
    command_key: str, postings: Sequence[Posting], kind: PostingKind | None = None
) -> list[Posting]:
    """What counts today of that which a command posted, booked anew or not."""
    firsts = first_numbers(postings)
    return [
        posting
        for posting in effective(postings)
        if posting.kind not in DERIVED
        and (kind is None or posting.kind is kind)
        and origin(posting, firsts) == firsts.get(command_key)
    ]


def again(
    act: Act, standing: Sequence[Posting], postings: Sequence[Posting], open_: OpenAmount
) -> tuple[Movement, ...]:
    """The movements of an act as it would have been posted now.

    ``postings`` are all so far, ``standing`` those of them that count.
    """
    amount = total((posting.amount for posting in act.postings), open_.principal.currency)
    made: tuple[Movement, ...]
    if act.kind is PostingKind.PAYMENT:
        made = movements.payment(amount, open_, act.postings[0].marking or Marking.BY_LAW)
    elif act.kind is PostingKind.CREDIT_NOTE and act.postings[0].marking is None:
        made = movements.credit_note(amount, open_)
    elif act.kind in LET_GO:
        let_go = min(amount, open_.total)
        made = movements.waiver(let_go, open_, kind=act.kind) if let_go else ()
    elif act.kind is PostingKind.RETURN:
        paid = _targets(act, standing, postings)
        undone = movements.undone_amounts(standing)
        made = movements.returned_payment(amount, paid, undone)
    elif act.kind is PostingKind.REVERSAL:
        made = movements.reversal(_targets(act, standing, postings))
    else:
        made = tuple(
            Movement(p.kind, p.source, p.destination, p.amount, marking=p.marking)
            for p in act.postings
        )
    return tuple(
        replace(movement, value_date=act.value_date, rebooks=act.origin) for movement in made
    )


def _targets(act: Act, standing: Sequence[Posting], postings: Sequence[Posting]) -> list[Posting]:
    """What counts today of the postings that an act undoes."""
    firsts = first_numbers(postings)
    undone = [postings[p.reverses - 1] for p in act.postings if p.reverses is not None]
    wanted = {(origin(posting, firsts), posting.kind) for posting in undone}
    return [posting for posting in standing if (origin(posting, firsts), posting.kind) in wanted]
