"""The merchant as the wordings speak of it."""

from dataclasses import dataclass
from urllib.parse import urlsplit

NAME_CHARACTERS_MAX = 60
DIRECT_CHARACTERS_MAX = 40
LINK_CHARACTERS_MAX = 72
"""What a first contact has to name, in GSM-7 characters: with these it fits into two SMS."""


@dataclass(frozen=True, slots=True)
class MerchantVoice:
    """Name, ways to reach the shop, and where money goes.

    `alias` is the neutral name for messages that must disclose nothing (a pharmacy's own name can
    disclose something); `check_url` is the shop's own address of the page that proves a message
    genuine; `iban` is compact, spaces are added when it is shown.
    """

    name: str
    alias: str | None = None
    phone: str | None = None
    email: str | None = None
    website: str | None = None
    check_url: str | None = None
    payee: str | None = None
    iban: str | None = None
    bic: str | None = None

    @property
    def public_name(self) -> str:
        return self.alias or self.name

    @property
    def direct(self) -> str:
        """The one way to reach the shop without us: its phone, else its mail."""
        return self.phone or self.open_email or ""

    @property
    def open_email(self) -> str | None:
        """The mail address, unless it lies on the site whose address the alias hides."""
        if not self.alias or not self.email:
            return self.email
        hidden = host(self.website)
        lies_there = hidden is not None and host(self.email.rpartition("@")[2]) == hidden
        return None if lies_there else self.email


def host(address: str | None) -> str | None:
    """The host of a web address, with or without its scheme, and without ``www.``."""
    if not address:
        return None
    found = urlsplit(address if "//" in address else f"//{address}").hostname
    return found.removeprefix("www.") if found else None
