"""Which claim a payment is for, and how sure that is (pure).

Sure is only what two things say that do not depend on each other: a reference with check digits,
or a number together with the amount, the payer's name or an account they paid from before.
Everything else is a suggestion with the reason why it is no more.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from ledger.allocation import OwedClaim, allocate_payment
from ledger.bank.entry import Movement, Problem
from ledger.bank.numbers import Found, NumberIndex, Numbers
from ledger.bank.writing import name_words, squeezed
from ledger.money import Money

PROPOSALS_MAX = 5
NAMESAKES_MAX = 20
"""A name that more customers have says nothing by itself."""


class Evidence(StrEnum):
    """What speaks for a match, besides the ways of :class:`ledger.bank.numbers.Found`."""

    KNOWN_ACCOUNT = "known_account"
    NAME = "name"
    CUSTOMER_NUMBER = "customer_number"
    OPEN_AMOUNT = "open_amount"
    PRICE = "price_without_costs_and_interest"
    INSTALMENT = "instalment"
    TOTAL = "total_of_the_claims"


class Doubt(StrEnum):
    """Why a match is not sure, or why there is none."""

    ALONE = "only_the_number"
    TYPO = "number_mistyped"
    NO_NUMBER = "no_number"
    AMOUNT_ONLY = "only_the_amount"
    SEVERAL_CLAIMS = "several_claims"
    SEVERAL_CUSTOMERS = "several_customers"
    ENDED = "claim_paid_or_ended"
    FOREIGN_CURRENCY = "foreign_currency"
    COLLECTIVE = "collective_without_details"
    DETAILS = "details_do_not_add_up"
    PERHAPS_REPEATED = "perhaps_repeated"
    NOTHING = "nothing_found"
    OUTGOING = "outgoing"
    RETURN_UNKNOWN = "returned_payment_unknown"
    RETURN_AMOUNT = "returned_amount_differs"
    RETURNED_TO_US = "own_payment_came_back"
    REVERSED_DEBIT = "reversed_debit"
    ZERO = "no_money"


@dataclass(slots=True)
class Candidate:
    """A claim that a payment may be for, with what is open on it as the run goes on."""

    numbers: Numbers
    customer_id: int
    currency: str
    due_date: date
    limitation_date: date | None
    bears_interest: bool
    pursued: bool
    open_minor: int
    principal_minor: int
    instalments_minor: list[int] = field(default_factory=list)
    """What is missing of the instalments of its agreement, in order."""

    @property
    def claim_id(self) -> int:
        return self.numbers.claim_id

    @property
    def payable(self) -> bool:
        """Whether there is anything to pay on it."""
        return self.pursued and self.open_minor > 0

    def fits(self, minor: int) -> Evidence | None:
        """By what the amount is one that is expected."""
        if minor == self.open_minor:
            return Evidence.OPEN_AMOUNT
        if self.instalments_minor and minor == self.instalments_minor[0]:
            return Evidence.INSTALMENT
        if minor == self.principal_minor:
            return Evidence.PRICE
        return None

    def pay(self, minor: int) -> None:
        """Take a payment off, so that the next one meets what is left."""
        self.open_minor -= minor
        self.principal_minor = min(self.principal_minor, max(0, self.open_minor))
        left = minor
        while self.instalments_minor and left > 0:
            taken = min(left, self.instalments_minor[0])
            left -= taken
            self.instalments_minor[0] -= taken
            if not self.instalments_minor[0]:
                self.instalments_minor.pop(0)


@dataclass(frozen=True, slots=True)
class Payer:
    """A customer as payers are told by: number and name."""

    customer_id: int
    number: str
    name: str
    first_name: str | None


@dataclass(frozen=True, slots=True)
class Share:
    """What of a payment goes to a claim, in the claim's currency; None: a person has to say."""

    claim_id: int
    minor: int | None


@dataclass(frozen=True, slots=True)
class Match:
    """What is proposed for a payment. ``sure`` ones post themselves; no shares: nothing found."""

    shares: tuple[Share, ...] = ()
    evidence: tuple[str, ...] = ()
    doubt: Doubt | None = None
    others: tuple[int, ...] = ()
    """Other claims that it may be for."""

    @property
    def sure(self) -> bool:
        return bool(self.shares) and self.doubt is None


@dataclass(frozen=True, slots=True)
class _Sender:
    """Who paid: the customer known by the account, those whose number is in the text, a name."""

    known: int | None
    numbered: set[int]
    words: frozenset[str]
    names: Mapping[int, tuple[frozenset[str], frozenset[str]]]

    def named_customers(self) -> set[int]:
        return self.numbered | ({self.known} if self.known is not None else set())

    def evidence(self, customer_id: int) -> list[str]:
        """What says that this customer paid."""
        said = []
        if customer_id == self.known:
            said.append(Evidence.KNOWN_ACCOUNT.value)
        family = self.names.get(customer_id, (frozenset(), frozenset()))[0]
        if family and family <= self.words:
            said.append(Evidence.NAME.value)
        if customer_id in self.numbered:
            said.append(Evidence.CUSTOMER_NUMBER.value)
        return said


NO_MATCH = Match(doubt=Doubt.NOTHING)


class Matcher:
    """Matches the payments of one run; what it is sure of counts for the payments after it."""

    def __init__(
        self,
        candidates: Iterable[Candidate],
        payers: Iterable[Payer],
        known_accounts: Mapping[str, set[int]],
        *,
        today: date,
    ) -> None:
        self._claims = {candidate.claim_id: candidate for candidate in candidates}
        self._numbers = NumberIndex(candidate.numbers for candidate in self._claims.values())
        self._accounts = defaultdict(set, {iban: set(ids) for iban, ids in known_accounts.items()})
        self._today = today
        self._of_customer: dict[int, list[Candidate]] = defaultdict(list)
        self._by_amount: dict[tuple[str, int], list[Candidate]] = defaultdict(list)
        for candidate in self._claims.values():
            self._of_customer[candidate.customer_id].append(candidate)
            if candidate.payable:
                for minor in {candidate.open_minor, *candidate.instalments_minor[:1]}:
                    self._by_amount[candidate.currency, minor].append(candidate)
        self._names: dict[int, tuple[frozenset[str], frozenset[str]]] = {}
        self._same_name: dict[frozenset[str], set[int]] = {}
        self._named: dict[str, set[int]] = defaultdict(set)
        self._customer_numbers: dict[str, int] = {}
        for payer in payers:
            family = name_words(payer.name)
            self._names[payer.customer_id] = family, name_words(payer.first_name or "")
            for word in family:
                self._named[word].add(payer.customer_id)
            number = squeezed(payer.number)
            if len(number) >= 5:
                self._customer_numbers[number] = payer.customer_id

    def match(self, movement: Movement) -> Match:
        """What a payment that arrived is for."""
        if movement.problem in (Problem.COLLECTIVE, Problem.DETAILS):
            return Match(doubt=Doubt(movement.problem.value))
        found = self._numbers.find(
            movement.creditor_reference, movement.text, movement.joined, movement.end_to_end_id
        )
        sender = self._sender(movement)
        if found:
            match = self._by_numbers(movement, found, sender)
        else:
            match = self._by_payer(movement, sender)
        if match.sure and movement.problem is not None:
            match = Match(match.shares, match.evidence, Doubt(movement.problem.value))
        return match

    def post(self, movement: Movement, match: Match) -> None:
        """Count a match: the claims owe less, and the payer's account is known."""
        for share in match.shares:
            claim = self._claims.get(share.claim_id)
            if claim is not None and share.minor is not None:
                claim.pay(share.minor)
                if movement.payer_iban:
                    self._accounts[movement.payer_iban].add(claim.customer_id)

    def _sender(self, movement: Movement) -> "_Sender":
        """What is known of who paid."""
        owners = self._accounts.get(movement.payer_iban or "", set())
        # A payment service pays for many, so its account says nothing.
        known = next(iter(owners)) if len(owners) == 1 else None
        typed = (self._customer_numbers.get(squeezed(word)) for word in movement.text.split())
        return _Sender(
            known,
            {number for number in typed if number is not None},
            name_words(movement.payer_name or ""),
            self._names,
        )

    def _namesakes(self, words: frozenset[str]) -> set[int]:
        """The customers who have this name; none where too many have it to say anything."""
        if words in self._same_name:
            return self._same_name[words]
        found = {
            customer
            for word in words
            for customer in self._named.get(word, ())
            if self._names[customer][0] <= words
        }
        if len(found) > 1:
            found = {c for c in found if self._names[c][1] & words} or found
        self._same_name[words] = found if len(found) <= NAMESAKES_MAX else set()
        return self._same_name[words]

    def _by_numbers(
        self, movement: Movement, found: Mapping[int, Found], sender: "_Sender"
    ) -> Match:
        claims = [self._claims[claim_id] for claim_id in found]
        payable = [claim for claim in claims if claim.payable]
        if not payable:
            ended = claims[0]
            return self._proposal(movement, [ended], [found[ended.claim_id].value], Doubt.ENDED)
        if len(payable) > 1 and set(found.values()) <= {Found.TYPO, Found.SHORT, Found.ORDER}:
            narrowed = self._narrowed(movement, payable, sender)
            if len(narrowed) != 1:
                evidence = sorted({found[claim.claim_id].value for claim in payable})
                return self._proposal(movement, payable, evidence, Doubt.SEVERAL_CLAIMS)
            payable = narrowed
        if any(claim.currency != movement.amount.currency for claim in payable):
            evidence = sorted({found[claim.claim_id].value for claim in payable})
            return self._proposal(movement, payable, evidence, Doubt.FOREIGN_CURRENCY)
        if len(payable) > 1:
            return self._several(movement, payable, found, sender)
        return self._one(movement, payable[0], found[payable[0].claim_id], sender)

    def _one(self, movement: Movement, claim: Candidate, kind: Found, sender: "_Sender") -> Match:
        minor = movement.amount.minor
        amount = claim.fits(minor)
        payer = sender.evidence(claim.customer_id)
        evidence = [kind.value, *payer, *([amount.value] if amount else [])]
        sure = {
            Found.RF: True,
            Found.NUMBER: bool(amount or payer),
            Found.ORDER: bool(amount or payer),
            Found.TYPO: bool(amount and payer),
            Found.SHORT: bool(amount),
        }[kind]
        doubt = None
        if not sure:
            doubt = Doubt.TYPO if kind is Found.TYPO else Doubt.ALONE
        return Match((Share(claim.claim_id, minor),), tuple(evidence), doubt)

    def _several(
        self,
        movement: Movement,
        claims: Sequence[Candidate],
        found: Mapping[int, Found],
        sender: "_Sender",
    ) -> Match:
        """One transfer for several claims: each its amount, else in the order of § 366 BGB."""
        minor = movement.amount.minor
        evidence = sorted({found[claim.claim_id].value for claim in claims})
        customers = {claim.customer_id for claim in claims}
        for customer in customers:
            evidence += sender.evidence(customer)
        expected = [
            [claim.open_minor for claim in claims],
            [(claim.instalments_minor or [claim.open_minor])[0] for claim in claims],
            [claim.principal_minor for claim in claims],
        ]
        for amounts in expected:
            if sum(amounts) == minor and all(amounts):
                shares = tuple(
                    Share(claim.claim_id, part) for claim, part in zip(claims, amounts, strict=True)
                )
                return Match(shares, (*evidence, Evidence.TOTAL.value))
        if len(customers) > 1:
            return self._proposal(movement, claims, evidence, Doubt.SEVERAL_CUSTOMERS)
        shares = self._allocated(movement, claims)
        sure = all(found[claim.claim_id] in (Found.RF, Found.NUMBER) for claim in claims)
        return Match(shares, tuple(evidence), None if sure else Doubt.SEVERAL_CLAIMS)

    def _by_payer(self, movement: Movement, sender: "_Sender") -> Match:
        """A payment without a number of ours."""
        minor, currency = movement.amount.minor, movement.amount.currency
        proposals: list[tuple[int, Match]] = []
        for customer_id in sender.named_customers() | self._namesakes(sender.words):
            owed = [
                claim
                for claim in self._of_customer.get(customer_id, ())
                if claim.payable and claim.currency == currency
            ]
            if owed:
                evidence = sender.evidence(customer_id)
                proposals.append(self._of_payer(movement, owed, evidence))
        if proposals:
            proposals.sort(key=lambda ranked: (-ranked[0], ranked[1].shares[0].claim_id))
            best, match = proposals[0]
            rivals = [other for rank, other in proposals[1:] if rank == best]
            if rivals:
                others = tuple(share.claim_id for rival in rivals for share in rival.shares)[
                    :PROPOSALS_MAX
                ]
                return Match(match.shares, match.evidence, Doubt.SEVERAL_CUSTOMERS, others)
            return match
        if movement.problem is None:
            equal = [
                claim
                for claim in self._by_amount.get((currency, minor), ())
                if claim.payable and claim.fits(minor)
            ]
            if len(equal) == 1:
                share = Share(equal[0].claim_id, minor)
                return Match((share,), (Evidence.OPEN_AMOUNT.value,), Doubt.AMOUNT_ONLY)
        return NO_MATCH

    def _of_payer(
        self, movement: Movement, owed: Sequence[Candidate], evidence: Sequence[str]
    ) -> tuple[int, Match]:
        """What fits best for one customer, with how well it fits."""
        minor = movement.amount.minor
        known = Evidence.KNOWN_ACCOUNT.value in evidence or (
            Evidence.CUSTOMER_NUMBER.value in evidence and Evidence.NAME.value in evidence
        )
        fitting = [(claim, how) for claim in owed if (how := claim.fits(minor)) is not None]
        rank = 4 * known + 2 * bool(fitting) + (len(evidence) > 1)
        if len(fitting) == 1:
            claim, how = fitting[0]
            said = (*evidence, how.value)
            return rank, Match(
                (Share(claim.claim_id, minor),), said, None if known else Doubt.NO_NUMBER
            )
        if len(owed) > 1 and sum(claim.open_minor for claim in owed) == minor:
            shares = tuple(Share(claim.claim_id, claim.open_minor) for claim in owed)
            said = (*evidence, Evidence.TOTAL.value)
            return rank + 2, Match(shares, said, None if known else Doubt.NO_NUMBER)
        doubt = Doubt.SEVERAL_CLAIMS if fitting else Doubt.NO_NUMBER
        return rank, Match(self._allocated(movement, owed), tuple(evidence), doubt)

    def _narrowed(
        self, movement: Movement, claims: Sequence[Candidate], sender: "_Sender"
    ) -> list[Candidate]:
        """The claims that payer or amount speak for, where a weak number leaves several."""
        of_payer = [claim for claim in claims if sender.evidence(claim.customer_id)]
        if len(of_payer) == 1:
            return of_payer
        fitting = [
            claim for claim in of_payer or claims if claim.fits(movement.amount.minor) is not None
        ]
        return fitting

    def _allocated(self, movement: Movement, claims: Sequence[Candidate]) -> tuple[Share, ...]:
        owed = [
            OwedClaim(
                claim.claim_id,
                Money(max(0, claim.open_minor), claim.currency),
                claim.due_date,
                claim.limitation_date,
                claim.bears_interest,
            )
            for claim in claims
        ]
        shares = allocate_payment(movement.amount, owed, today=self._today)
        return tuple(Share(claim_id, money.minor) for claim_id, money in shares.items())

    def _proposal(
        self,
        movement: Movement,
        claims: Sequence[Candidate],
        evidence: Sequence[str],
        doubt: Doubt,
    ) -> Match:
        """A suggestion for the first of these claims; the others are named."""
        first = min(claims, key=lambda claim: (not claim.payable, claim.due_date, claim.claim_id))
        same = first.currency == movement.amount.currency
        others = tuple(claim.claim_id for claim in claims if claim is not first)[:PROPOSALS_MAX]
        share = Share(first.claim_id, movement.amount.minor if same else None)
        return Match((share,), tuple(evidence), doubt, others)
