"""What a merchant's letters name: the business itself, and whom a registered collector acts for."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.findings import BAD, Finding

LINES_CHARACTERS_MAX = 400
_REMEDY = "kulanz merchant FILE with [letter] and [letter.collection]; docs/customers-page.md"


class CollectionData(BaseModel):
    """What § 13a RDG wants to be told by who collects for others; addresses have lines."""

    model_config = ConfigDict(extra="forbid")

    client: str = Field(min_length=1, max_length=120)
    """Whose claims they are, by name or firm."""
    client_address: str = Field(min_length=1, max_length=LINES_CHARACTERS_MAX)
    registration: str = Field(min_length=1, max_length=LINES_CHARACTERS_MAX)
    """As it stands in the register of legal services, with its number."""
    authority: str = Field(min_length=1, max_length=120)
    """The supervisory authority."""
    authority_address: str = Field(min_length=1, max_length=LINES_CHARACTERS_MAX)
    authority_contact: str = Field(min_length=1, max_length=120)
    """Its mail address or other electronic way."""
    costs_vat: Literal["none", "not_deductible"] = "none"
    """Whether costs contain VAT; then only such as the client cannot deduct."""
    address_source: str | None = Field(default=None, max_length=LINES_CHARACTERS_MAX)
    """Where contact data come from that the client did not give."""


class LetterData(BaseModel):
    """The sender as business letters have to name it (§ 35a GmbHG, § 37a HGB)."""

    model_config = ConfigDict(extra="forbid")

    firm: str | None = Field(default=None, max_length=120)
    """The full firm with its legal form; without it the merchant's name."""
    address: str | None = Field(default=None, max_length=LINES_CHARACTERS_MAX)
    register_entry: str | None = Field(default=None, max_length=200)
    management: str | None = Field(default=None, max_length=200)
    vat_id: str | None = Field(default=None, max_length=30)
    collection: CollectionData | None = None


def collector_findings(merchants: Mapping[str, tuple[str, Mapping[str, Any]]]) -> list[Finding]:
    """What registered collectors, of all merchants with kind and letter by key, do not name yet."""
    findings = []
    for key, (kind, stored) in merchants.items():
        letter = LetterData.model_validate(stored)
        missing = [
            name
            for name, value in (("address", letter.address), ("collection", letter.collection))
            if value is None
        ]
        if kind == "collector" and missing:
            said = f"§ 13a RDG: no {' and no '.join(missing)} in [letter]"
            findings.append(Finding(BAD, f"collector {key}", said, _REMEDY))
    return findings
