"""Settings from the environment (``KULANZ_*``); every one is optional in the demo."""

from collections.abc import Mapping
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Self

from pydantic import SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from conversation.genuine import CODE_LENGTH, PAGES
from conversation.wording.voice import LINK_CHARACTERS_MAX

PUBLIC_URL_CHARACTERS_MAX = (
    LINK_CHARACTERS_MAX - CODE_LENGTH - len("//") - max(map(len, PAGES.values()))
)
PROJECT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """What operators may set. Secrets come from the environment only and are never printed."""

    model_config = SettingsConfigDict(
        env_prefix="KULANZ_", env_file=PROJECT / ".env", extra="ignore"
    )

    database_url: SecretStr | None = None
    """PostgreSQL for its owner (needs CREATEROLE); empty: an embedded one of our own."""
    redis_url: SecretStr | None = None
    """Redis or Valkey; empty: an embedded Valkey of our own."""
    data_dir: Path = Path("var")
    statements_dir: Path | None = None
    """A folder that bank statements are taken from; see docs/bank-statements.md."""
    public_url: str | None = None
    """Where providers and customers reach this service, e.g. ``https://kulanz.example``."""
    secret_key: SecretStr | None = None
    """Encrypts channel credentials and signing secrets; empty: generated once and kept in the data
    directory."""
    trusted_proxies: list[IPv4Network | IPv6Network] = []
    """Networks whose ``X-Forwarded-*`` headers count."""
    webhook_networks: list[IPv4Network | IPv6Network] = []
    """Private networks that events may be posted into; public addresses need no mention."""

    telegram_bot_token: SecretStr | None = None
    telegram_bot_name: str | None = None
    telegram_webhook_secret: SecretStr | None = None
    telegram_api_url: str = "https://api.telegram.org"

    twilio_account_sid: str | None = None
    twilio_auth_token: SecretStr | None = None
    twilio_api_url: str = "https://api.twilio.com"
    twilio_messaging_api_url: str = "https://messaging.twilio.com"
    twilio_content_api_url: str = "https://content.twilio.com"
    """These two are asked by ``kulanz doctor --live`` only."""
    twilio_sms_from: str | None = None
    twilio_whatsapp_from: str | None = None

    stripe_secret_key: SecretStr | None = None
    stripe_webhook_secret: SecretStr | None = None
    """Online payments of the first merchant; further merchants' accounts are kept encrypted."""
    stripe_api_url: str = "https://api.stripe.com"

    smtp_url: SecretStr | None = None
    """Where mail goes out: ``smtps://user:password@host`` or ``smtp://…`` (STARTTLS); empty: links
    for people are shown once to who makes them."""
    mail_from: str | None = None
    """The address that mail comes from."""

    rasa_url: str | None = None
    """A Rasa that runs elsewhere; empty: started here."""
    rasa_secret: SecretStr | None = None
    rasa_processes: int = 1
    worker_processes: int = 1
    port: int = 8000
    demo: bool = False
    """Sample data, the movable clock and the terminal messenger: never in production."""

    @field_validator("public_url")
    @classmethod
    def _fits_into_a_message(cls, value: str | None) -> str | None:
        if value and len(value.rstrip("/")) > PUBLIC_URL_CHARACTERS_MAX:
            raise ValueError(
                f"is longer than {PUBLIC_URL_CHARACTERS_MAX} characters: it stands in first SMS"
            )
        return value

    @cached_property
    def state_file(self) -> Path:
        """Where a running ``kulanz up`` writes how to reach its parts."""
        return self.data_dir / "running.json"

    def with_values(self, values: Mapping[str, str]) -> Self:
        """These settings with some of them set, as they would be by the environment."""
        return self.model_copy(
            update={
                name: SecretStr(value)
                if type(self).model_fields[name].annotation == SecretStr | None
                else value
                for name, value in values.items()
            }
        )

    def secret(self, name: str) -> str | None:
        """The plain value of a secret setting."""
        value: SecretStr | None = getattr(self, name)
        return value.get_secret_value() if value is not None else None
