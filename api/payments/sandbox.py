"""The provider of demo and tests: it moves no money, and behaves like one that does.

Its page (:mod:`api.pages.sandbox_payment`) is served by this service itself. All that a page knows
stands in its signed address; nothing is kept. Notices come back over HTTP, signed and dated.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from api.payments.provider import (
    Checkout,
    Notice,
    NoticeForged,
    NoticeKind,
    NoticeMalformed,
    Started,
)
from ledger.money import Money

NAME: Final = "sandbox"
PATH: Final = "/sandbox-payment"
SIGNATURE: Final = "sandbox-signature"
TOLERANCE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Session:
    """One page of the sandbox: what its address says."""

    checkout: Checkout
    merchant: str
    """The key of the merchant, to whom the notices go."""
    id: str
    """The sandbox's name of the page, and with ``pay_`` before it of the money."""

    @property
    def payment(self) -> str:
        """The sandbox's name of the money."""
        return f"pay_{self.id}"


class SandboxProvider:
    """A provider whose secret is known to this service only. `now` is the machine's real time."""

    name = NAME
    origin = ""

    def __init__(
        self,
        *,
        secret: str,
        base_url: str,
        merchant: str = "",
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._secret = secret.encode()
        self._merchant = merchant
        self._base_url = base_url.rstrip("/")
        self._now = now or (lambda: datetime.now(UTC))

    async def start(self, checkout: Checkout) -> Started:
        """Give the address of the page; it is the same for the same checkout."""
        given = {
            "reference": checkout.reference,
            "amount": checkout.amount.to_json(),
            "description": checkout.description,
            "language": checkout.language,
            "success_url": checkout.success_url,
            "cancel_url": checkout.cancel_url,
            "merchant": self._merchant,
        }
        told = _encode(json.dumps(given, ensure_ascii=False, sort_keys=True).encode())
        return Started(f"{self._base_url}{PATH}/{told}.{self._sign(told)}", self._id(checkout))

    def session(self, token: str) -> Session:
        """What the address of a page says. Raises NoticeForged."""
        told, _, signature = token.partition(".")
        if not hmac.compare_digest(self._sign(told).encode(), signature.encode()):
            raise NoticeForged("not an address of the sandbox")
        given = json.loads(base64.urlsafe_b64decode(told + "=" * (-len(told) % 4)))
        merchant = given.pop("merchant")
        checkout = Checkout(**{**given, "amount": Money.from_json(given["amount"])})
        return Session(checkout, merchant, self._id(checkout))

    def signed(self, notice: Notice) -> tuple[dict[str, str], bytes]:
        """Headers and body of a notice, as the sandbox sends it."""
        body = json.dumps(
            {
                "event": notice.event,
                "kind": notice.kind,
                "happened_at": notice.happened_at.isoformat(),
                "reference": notice.reference,
                "provider_payment": notice.provider_payment,
                "amount": notice.amount.to_json() if notice.amount else None,
                "case": notice.case,
            }
        ).encode()
        at = str(int(self._now().timestamp()))
        signature = self._sign(f"{at}.{body.decode()}")
        return {"content-type": "application/json", SIGNATURE: f"t={at},v1={signature}"}, body

    def read(self, headers: Mapping[str, str], body: bytes) -> Notice | None:
        """Check the signature and its age, and read the notice."""
        given = dict(
            part.partition("=")[::2] for part in headers.get(SIGNATURE, "").split(",") if part
        )
        at = given.get("t", "")
        wanted = self._sign(f"{at}.{body.decode('utf-8', 'replace')}")
        if not hmac.compare_digest(wanted.encode(), given.get("v1", "").encode()):
            raise NoticeForged("not signed by the sandbox")
        if abs(self._now().timestamp() - int(at)) > TOLERANCE.total_seconds():
            raise NoticeForged("too old")
        try:
            told = json.loads(body)
            return Notice(
                event=told["event"],
                kind=NoticeKind(told["kind"]),
                happened_at=datetime.fromisoformat(told["happened_at"]),
                reference=told["reference"],
                provider_payment=told["provider_payment"],
                amount=Money.from_json(told["amount"]) if told["amount"] else None,
                case=told["case"],
            )
        except (KeyError, ValueError, TypeError) as error:
            raise NoticeMalformed(type(error).__name__) from error

    async def close(self) -> None:
        """It holds nothing."""

    def _id(self, checkout: Checkout) -> str:
        return hashlib.sha256(checkout.reference.encode()).hexdigest()[:16]

    def _sign(self, text: str) -> str:
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
