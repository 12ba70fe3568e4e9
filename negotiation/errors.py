"""Why an agreement is not allowed, as named facts; raised by the guard of the book."""

from ledger.errors import AgreementRefused


class PlanBelowFloor(AgreementRefused):
    """The regular instalment is below the merchant's least amount."""


class TooManyInstalments(AgreementRefused):
    """The plan has more instalments than the open amount allows."""


class NoPlan(AgreementRefused):
    """One payment is no instalment plan; it is a promise or a deferral."""


class PlanUneven(AgreementRefused):
    """The regular instalments are not equal up to the last, not on the days of their period, or not
    after the down payment."""


class PeriodNotOffered(AgreementRefused):
    """The merchant does not offer instalments in this period."""


class FirstInstalmentTooLate(AgreementRefused):
    """The first instalment is due later than the merchant allows."""


class RestTooLate(AgreementRefused):
    """What follows a down payment is due later than the merchant allows."""


class PlanTermsDiffer(AgreementRefused):
    """Charge, interest or the shifting of due days are not those of the merchant's plans."""


class DateInThePast(AgreementRefused):
    """A payment is due before today."""


class PromiseTooLate(AgreementRefused):
    """The promised day is later than the merchant allows."""


class DeferralTooLong(AgreementRefused):
    """The deferral ends later than the merchant allows at this age of the claim."""


class DiscountTooLarge(AgreementRefused):
    """More would be let go than the merchant allows."""


class DiscountPaidTooLate(AgreementRefused):
    """The reduced amount would be paid later than the merchant allows."""


class TotalDiffers(AgreementRefused):
    """What is to be paid is not what is open."""


class AboveAuthority(AgreementRefused):
    """The open amount is so high that a person decides."""


class TooManyAgreements(AgreementRefused):
    """So much was agreed about the claim already that a person decides."""


class ClaimTimeBarred(AgreementRefused):
    """Limitation has set in; the claim is not pursued."""


class ClaimNotNegotiable(AgreementRefused):
    """The claim is disputed, done, in another currency, or nothing is open on it."""
