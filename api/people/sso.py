"""Single sign-on of a merchant: its provider as it is kept, and whom an identity there belongs to.

Everything here is on the operator's session, as who it is is not known before. Commits nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.people import accounts, audit, links, sessions
from api.people.accounts import PersonRefused
from api.people.links import Link
from api.people.openid import Client, Identity, SsoRefused, Why
from api.people.roles import Role
from api.people.sessions import SignedIn
from api.people.sign_in import Admitted, note_signed_in
from api.sealing import seal, unseal
from storage.tables import ConsoleSession, Merchant, Person, SsoProvider

PURPOSE = "single sign-on"


class SecondFactor(StrEnum):
    """Who asks for the second factor; see :class:`storage.tables.SsoProvider`."""

    PROVIDER = "provider"
    TOLD = "told"
    OURS = "ours"


@dataclass(frozen=True, slots=True)
class Provider:
    """A merchant's provider, ready to be asked."""

    merchant_id: int
    merchant_name: str
    kept: SsoProvider
    client: Client


def return_path(merchant_key: str) -> str:
    """Where a merchant's provider sends browsers back to.

    Each has a place of its own (RFC 9700, section 4.4.2.2): what another provider's visitor brings
    back there is not taken, so no provider is handed a code that another one gave.
    """
    return f"/console/sso/{merchant_key}/return"


def sealed_secret(secret_key: str, secret: str) -> bytes:
    """A client's secret as it is stored."""
    return seal(secret_key, PURPOSE, {"secret": secret})


async def provider_of(
    session: AsyncSession, merchant_key: str, secret_key: str, public_url: str
) -> Provider | None:
    """The provider of the merchant with this key; None where it has none."""
    found = (
        await session.execute(
            select(SsoProvider, Merchant.name)
            .join(Merchant, Merchant.id == SsoProvider.merchant_id)
            .where(Merchant.key == merchant_key)
        )
    ).one_or_none()
    if found is None:
        return None
    kept, name = found
    sealed = kept.client_secret
    secret = unseal(secret_key, PURPOSE, sealed)["secret"] if sealed else None
    client = Client(kept.issuer, kept.client_id, secret, public_url + return_path(merchant_key))
    return Provider(kept.merchant_id, name, kept, client)


async def person_of(
    session: AsyncSession, provider: Provider, identity: Identity, now: datetime
) -> Person:
    """The person with this identity: linked before, invited, or new where the merchant allows it.

    Raises:
        SsoRefused: there is none, or they are kept out.
    """
    of = Person.merchant_id == provider.merchant_id
    person: Person | None = await session.scalar(
        select(Person).where(of, Person.sso_subject == identity.subject).with_for_update()
    )
    if person is None:
        person = await _linked(session, provider, identity, now)
    if person.disabled_at is not None:
        raise SsoRefused(Why.KEPT_OUT)
    return person


async def _linked(
    session: AsyncSession, provider: Provider, identity: Identity, now: datetime
) -> Person:
    """Link the identity with a person of the same address, once and for all."""
    if not identity.email:
        raise SsoRefused(Why.EMAIL)
    domain = accounts.spelled(identity.email).rpartition("@")[2]
    if domain not in provider.kept.email_domains:
        raise SsoRefused(Why.DOMAIN)
    person = await accounts.by_email(session, provider.merchant_id, identity.email)
    if person is None:
        if provider.kept.default_role is None:
            raise SsoRefused(Why.UNKNOWN)
        name = identity.name.strip() or identity.email.partition("@")[0]
        given = (identity.email, name[: accounts.NAME_CHARACTERS_MAX],
                 Role(provider.kept.default_role))  # fmt: skip
        try:
            person = await accounts.add(session, provider.merchant_id, given, now)
        except PersonRefused as refused:
            raise SsoRefused(Why.UNKNOWN) from refused
        audit.note(session, person, "person_joined", now, merchant_id=provider.merchant_id,
                   of=person.id, role=person.role)  # fmt: skip
    elif person.sso_subject is not None:
        raise SsoRefused(Why.OTHER)
    elif person.disabled_at is not None:
        raise SsoRefused(Why.KEPT_OUT)
    person.sso_subject = identity.subject
    audit.note(session, person, "sso_linked", now, merchant_id=provider.merchant_id, of=person.id)
    return person


async def admit(
    session: AsyncSession, provider: Provider, identity: Identity, now: datetime, device: str
) -> Admitted:
    """Begin the session of who this is, or lead to the code where the second factor is ours.

    Raises:
        SsoRefused: see `person_of`.
    """
    person = await person_of(session, provider, identity, now)
    provider.kept.sign_out_url = identity.sign_out_url
    wanted = SecondFactor(provider.kept.second_factor)
    enough = wanted is SecondFactor.PROVIDER or (
        wanted is SecondFactor.TOLD and identity.second_factor
    )
    if not enough and person.second_factor is not None:
        return Admitted(await links.make_code_link(session, person, now), finished=False)
    how = sessions.BY_PROVIDER if enough else sessions.BY_PROVIDER_ALONE
    who = Link(person.merchant_id, person.name, None, person)
    token = await sessions.begin(session, who, now, proved_by=how, device=device)
    if token is None:
        raise SsoRefused(Why.KEPT_OUT)
    await note_signed_in(session, token, sessions.BY_PROVIDER, now)
    return Admitted(token, finished=True)


async def sign_out_url(session: AsyncSession, person: SignedIn) -> str:
    """Where who came by a provider signs out there as well; empty: nowhere."""
    found: str | None = await session.scalar(
        select(SsoProvider.sign_out_url)
        .join(ConsoleSession, ConsoleSession.merchant_id == SsoProvider.merchant_id)
        .where(
            ConsoleSession.hash == person.session,
            ConsoleSession.proved_by.in_([sessions.BY_PROVIDER, sessions.BY_PROVIDER_ALONE]),
        )
    )
    return found or ""
