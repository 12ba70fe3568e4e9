"""What can go wrong in the ledger, as named facts. Which HTTP code they become is the edge's."""


class LedgerError(Exception):
    """Base of all facts that the ledger refuses a command with."""


class ClaimUnknown(LedgerError):
    """There is no such claim for this merchant."""


class ClaimExists(LedgerError):
    """The merchant already has a claim with this reference."""


class ClaimInDispute(LedgerError):
    """The customer disputes the claim; until that is answered nothing is agreed about it."""


class ClaimNotOpen(LedgerError):
    """The claim is settled, recalled or written off."""


class NothingOwed(LedgerError):
    """Nothing is open on the claim, so there is nothing to agree about or to waive."""


class AmountNotPositive(LedgerError):
    """An amount to post is zero or negative."""


class CurrencyDiffers(LedgerError):
    """The amount is in another currency than the claim."""


class WaiverExceedsBalance(LedgerError):
    """More should be waived than is open."""


class ReturnExceedsPayments(LedgerError):
    """More should be returned than was paid."""


class PostingUnknown(LedgerError):
    """There is no posting under this idempotency key on the claim."""


class AlreadyReversed(LedgerError):
    """The posting was reversed before, or is itself a reversal."""


class OpenAmountDiffers(LedgerError):
    """The merchant confirms another open amount than the ledger holds."""


class IdempotencyConflict(LedgerError):
    """The idempotency key was used before, with another input."""


class AgreementUnknown(LedgerError):
    """There is no such agreement for this merchant."""


class AgreementEnded(LedgerError):
    """The agreement is no longer active."""


class ChainBroken(LedgerError):
    """The claim's postings do not match their hashes: somebody changed the past."""


class AgreementRefused(LedgerError):
    """The terms are not allowed. Subclasses say which rule they miss."""


class TermsDoNotFit(AgreementRefused):
    """What is to be paid is not what is open on the claim (plus the plan's charge)."""


class CostsRefused(LedgerError):
    """These costs may not be charged: the law, or the kind of customer, does not allow it."""
