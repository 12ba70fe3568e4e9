"""Paying by bank transfer: what to write, and the same as a QR code that banking apps read.

The code follows EPC069-12, version 002: payee, IBAN, amount and the structured reference.
"""

import io
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

import segno

from api.pages.pay.claims import ClaimView
from ledger.money import Money
from storage.tables import Merchant

PAYEE_CHARACTERS_MAX = 70
_SVG_SCALE, _PNG_SCALE, _QUIET_ZONE = 4, 10, 4
_AMOUNT_MAX = Decimal("999999999.99")


@dataclass(frozen=True, slots=True)
class Transfer:
    """One transfer; `reference` is the claim's own, by which the money is found."""

    claim_id: int
    payee: str
    iban: str
    bic: str | None
    amount: Money
    reference: str

    @property
    def has_code(self) -> bool:
        """Whether a QR code can say it: euros, and not more than the code has room for."""
        amount = self.amount.decimal
        return self.amount.currency == "EUR" and 0 < amount <= _AMOUNT_MAX

    @property
    def payload(self) -> str:
        """What the code says, line by line; a text of the transfer would follow and is left out."""
        return "\n".join(
            (
                *("BCD", "002", "1", "SCT"),  # service tag, version, UTF-8, credit transfer
                self.bic or "",
                " ".join(self.payee.split())[:PAYEE_CHARACTERS_MAX],
                self.iban,
                f"EUR{self.amount.decimal:.2f}",
                "",  # purpose
                self.reference,
            )
        )

    def code(self) -> segno.QRCode:
        """The QR code, with the error correction that the standard asks for."""
        return _code(self.payload)

    def svg(self) -> bytes:
        """The code as a picture for the page, on white so that it can be scanned in the dark."""
        out = io.BytesIO()
        self.code().save(
            out, kind="svg", scale=_SVG_SCALE, border=_QUIET_ZONE, light="#fff", svgclass=None,
            lineclass=None, omitsize=False,
        )  # fmt: skip
        return out.getvalue()

    def png(self) -> bytes:
        """The code as a picture to keep, for the banking app on the same phone."""
        out = io.BytesIO()
        self.code().save(out, kind="png", scale=_PNG_SCALE, border=_QUIET_ZONE, light="#fff")
        return out.getvalue()


def transfer_for(merchant: Merchant, view: ClaimView, everything: bool = False) -> Transfer:
    """What to transfer for a claim: what comes next, or all that is open."""
    return Transfer(
        claim_id=view.id,
        payee=merchant.payee or merchant.name,
        iban=merchant.iban or "",
        bic=merchant.bic,
        amount=view.open if everything and view.may_pay_all else view.to_pay,
        reference=view.statement.rf_reference,
    )


@lru_cache(maxsize=512)
def _code(payload: str) -> segno.QRCode:
    """Reckoned once for page, picture and reload: it takes longer than all else of a page."""
    return segno.make_qr(payload, error="m", boost_error=False, encoding="utf-8")
