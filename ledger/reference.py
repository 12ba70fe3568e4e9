"""ISO 11649 creditor references (RF numbers) for transfers."""

from stdnum import iso11649
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_97_10


class ReferenceInvalid(ValueError):
    """The text is no RF reference."""


def rf_reference(claim_number: int) -> str:
    """The RF reference of a claim: check digits and the number, nine digits or more.

    Raises ``ValueError`` for numbers below 1.
    """
    if claim_number < 1:
        raise ValueError("claims are numbered from 1")
    body = f"{claim_number:09d}"
    return f"RF{mod_97_10.calc_check_digits(body + 'RF')}{body}"


def read_rf(text: str) -> str:
    """The reference in compact form, its checksum tested; raises ``ReferenceInvalid``."""
    try:
        return str(iso11649.validate(text.upper()))
    except ValidationError as error:
        raise ReferenceInvalid(text) from error


def printed_rf(reference: str) -> str:
    """The reference in groups of four, as people copy it."""
    return str(iso11649.format(reference))
