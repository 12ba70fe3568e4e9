"""Ways in which a provider fails, so that the stand-in can fail like one."""

from dataclasses import dataclass, field
from enum import StrEnum


class Failing(StrEnum):
    """What goes wrong with a request."""

    REFUSED = "refused"
    """Answered with an error and not accepted."""
    SLOW = "slow"
    """Accepted and answered, late."""
    CUT = "cut"
    """Accepted, then the connection breaks before the answer."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One failure. `status` and `code` (Twilio's error number) belong to REFUSED,
    `retry_after_seconds` to a 429, `delay_seconds` to SLOW."""

    kind: Failing
    status: int = 500
    code: int | None = None
    retry_after_seconds: int | None = None
    delay_seconds: float = 0.0


TOO_MANY = Fault(Failing.REFUSED, status=429, code=20429, retry_after_seconds=1)
BROKEN = Fault(Failing.REFUSED, status=503)
UNSUBSCRIBED = Fault(Failing.REFUSED, status=400, code=21610)
"""Twilio 21610: the recipient has stopped messages from this sender."""
CUT = Fault(Failing.CUT)


@dataclass
class Plan:
    """The faults that lie ahead, each for a number of requests and, if named, one recipient."""

    _ahead: list[tuple[Fault, str | None, int]] = field(default_factory=list)

    def add(self, fault: Fault, *, times: int = 1, to: str | None = None) -> None:
        """Let the next `times` requests (to this recipient) fail like this."""
        self._ahead.append((fault, to, times))

    def take(self, to: str) -> Fault | None:
        """The fault that the request to this recipient meets, used up by it."""
        for position, (fault, recipient, times) in enumerate(self._ahead):
            if recipient in (None, to):
                if times > 1:
                    self._ahead[position] = (fault, recipient, times - 1)
                else:
                    del self._ahead[position]
                return fault
        return None
