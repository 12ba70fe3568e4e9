"""The merchant as the wordings speak of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MerchantVoice:
    """Name, ways to reach the shop, and where money goes.

    `alias` is the neutral name for messages that must disclose nothing (a pharmacy's own name can
    disclose something); `iban` is compact, spaces are added when it is shown.
    """

    name: str
    alias: str | None = None
    phone: str | None = None
    email: str | None = None
    website: str | None = None
    payee: str | None = None
    iban: str | None = None
    bic: str | None = None

    @property
    def public_name(self) -> str:
        return self.alias or self.name
