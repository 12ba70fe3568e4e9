"""The guard that stands before every agreement."""

from typing import Protocol

from ledger.agreements import AgreementTerms
from ledger.claim import ClaimFacts


class Guard(Protocol):
    """Refuses terms that the merchant does not allow, by raising an ``AgreementRefused``."""

    def __call__(self, terms: AgreementTerms, facts: ClaimFacts) -> None: ...
