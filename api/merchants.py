"""Merchants as data: checked, then created or updated."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

import phonenumbers
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from stdnum import iban as iban_number

from api import setting_changes
from api.letter_data import LetterData
from api.people.audit import COMMAND_LINE
from api.setting_changes import Part
from conversation.genuine import CODE_LENGTH
from conversation.wording import (
    MerchantVoice,
    OverridesRefused,
    check_voice,
    checked_overrides,
)
from conversation.wording.own import own_texts
from conversation.wording.voice import LINK_CHARACTERS_MAX, host
from negotiation.policy import PolicyInvalid
from negotiation.policy_data import policy_from_data, policy_to_data
from storage.tables import Merchant

CHECK_URL_CHARACTERS_MAX = LINK_CHARACTERS_MAX - CODE_LENGTH - 1


LOGO_CHARACTERS_MAX = 24_000


class PageData(BaseModel):
    """How the customer's page looks in a merchant's name, and what law it names.

    A logo is carried inside the page: it loads nothing from elsewhere. Texts are plain; an empty
    line begins a paragraph.
    """

    model_config = ConfigDict(extra="forbid")

    colour: str | None = Field(default=None, pattern=r"^#[0-9a-fA-F]{6}$")
    logo: str | None = Field(
        default=None,
        max_length=LOGO_CHARACTERS_MAX,
        pattern=r"^data:image/(png|jpeg|webp|svg\+xml);base64,[A-Za-z0-9+/]+=*$",
    )
    imprint: str | None = Field(default=None, max_length=10_000)
    privacy: str | None = Field(default=None, max_length=30_000)
    accessibility: str | None = Field(default=None, max_length=10_000)


class MerchantData(BaseModel):
    """One merchant as it is written in a TOML file (see ``docs/operating.md``)."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(pattern=r"^[a-z][a-z0-9-]{1,40}$")
    name: str = Field(min_length=1, max_length=120)
    alias: str | None = Field(default=None, max_length=60)
    kind: str = Field(default="creditor", pattern="^(creditor|collector)$")
    tone: str = Field(default="warm", pattern="^(warm|plain|firm)$")
    address_form: str = Field(default="sie", pattern="^(sie|du)$")
    language: str = Field(default="de", pattern="^(de|en)$")
    currency: str = Field(default="EUR", pattern="^EUR$")
    timezone: str = "Europe/Berlin"
    land: str = Field(default="BE", pattern="^[A-Z]{2}$")
    phone: str | None = None
    email: str | None = Field(default=None, pattern=r"^[^@\s]+@[^@\s]+$")
    website: str | None = None
    check_url: str | None = Field(
        default=None,
        max_length=CHECK_URL_CHARACTERS_MAX,
        pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9/._?&=-]*)?$",
    )
    payee: str | None = Field(default=None, max_length=70)
    iban: str | None = None
    bic: str | None = None
    bank_accounts: list[str] = []
    """IBANs of further own accounts, whose statements are read as well."""
    policy: dict[str, Any] = {}
    page: PageData = PageData()
    letter: LetterData = LetterData()
    wordings: dict[str, Any] | None = None
    """The merchant's own texts; None leaves those that are stored."""

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError) as error:
            raise ValueError("no IANA time zone") from error
        return value

    @field_validator("iban")
    @classmethod
    def _valid_iban(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not iban_number.is_valid(value):
            raise ValueError("the IBAN's checksum is wrong")
        return str(iban_number.compact(value))

    @field_validator("bank_accounts")
    @classmethod
    def _valid_accounts(cls, value: list[str]) -> list[str]:
        wrong = [account for account in value if not iban_number.is_valid(account)]
        if wrong:
            raise ValueError(f"the IBAN's checksum is wrong: {', '.join(wrong)}")
        return sorted({str(iban_number.compact(account)) for account in value})

    @field_validator("phone")
    @classmethod
    def _valid_phone(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            number = phonenumbers.parse(value, "DE")
        except phonenumbers.NumberParseException as error:
            raise ValueError("no phone number") from error
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)

    @field_validator("policy")
    @classmethod
    def _valid_policy(cls, value: dict[str, Any]) -> dict[str, Any]:
        policy_from_data(value)  # its errors are ValueErrors that name every field
        return value

    @field_validator("wordings")
    @classmethod
    def _valid_wordings(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        if value:
            try:
                checked_overrides(value)
            except OverridesRefused as refused:
                raise ValueError("\n    ".join(refused.problems)) from refused
        return value

    @model_validator(mode="after")
    def _speakable(self) -> Self:
        """Whether a first contact can be written in this name that keeps its law."""
        voice = MerchantVoice(
            self.name, self.alias, self.phone, self.email, self.website, self.check_url
        )
        if problems := unspeakable(voice):
            raise ValueError("\n    ".join(problems))
        return self


def unspeakable(voice: MerchantVoice) -> list[str]:
    """Why no first contact that keeps its law can be written in this name, in words."""
    problems = check_voice(voice)
    if voice.alias and voice.check_url and host(voice.website) == host(voice.check_url):
        problems.append("check_url: lies on the website, whose address says what the alias hides")
    return problems


async def save_merchant(session: AsyncSession, data: Mapping[str, Any], now: datetime) -> int:
    """Create the merchant with this key, or update it; return its id.

    Raises:
        pydantic.ValidationError: every wrong field with its reason.
    """
    given = MerchantData.model_validate(data)
    merchant = await session.scalar(
        select(Merchant).where(Merchant.key == given.key).with_for_update()
    )
    if merchant is None:
        merchant = Merchant(key=given.key, created_at=now)
        session.add(merchant)
    stays = {"key"} if given.wordings is not None else {"key", "wordings"}
    before = _set_so_far(merchant)
    for field, value in given.model_dump(exclude=stays).items():
        setattr(merchant, field, value)
    await session.flush()
    if before is not None:
        _note_changes(session, merchant, before, now)
    return merchant.id


def _set_so_far(merchant: Merchant) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Policy and texts of a merchant that is there already."""
    if merchant.id is None:
        return None
    try:
        policy = policy_to_data(policy_from_data(merchant.policy))
    except PolicyInvalid:  # stored before a bound was drawn; the new one takes its place
        policy = dict(merchant.policy)
    return policy, dict(merchant.wordings)


def _note_changes(
    session: AsyncSession,
    merchant: Merchant,
    before: tuple[dict[str, Any], dict[str, Any]],
    now: datetime,
) -> None:
    """Keep in the settings' history what a file has changed, as the console's pages do."""
    policy, wordings = before
    after = policy_to_data(policy_from_data(merchant.policy))
    of = merchant.id
    setting_changes.note(session, COMMAND_LINE, Part.POLICY, policy, after, now, merchant_id=of)
    for name in sorted({*wordings, *merchant.wordings}):
        said, says = (
            own_texts(name, held.get(name) or {}) for held in (wordings, merchant.wordings)
        )
        setting_changes.note(
            session, COMMAND_LINE, Part.WORDING, said, says, now, merchant_id=of, name=name
        )
