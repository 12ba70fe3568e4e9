"""``kulanz user``: the people who sign in to the console."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.table import Column, Table
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.commands.login import console_url
from api.commands.session import MerchantKey, Refused, console, merchant_opened, run
from api.commands.sso import single_sign_on
from api.people import accounts, audit
from api.people.links import INVITATION_DAYS, RESET_HOURS, make_password_link
from api.people.roles import Role
from api.settings import Settings
from storage.tables import Merchant, Person

users = typer.Typer(no_args_is_help=True, help="The people who sign in to the console.")
Email = Annotated[str, typer.Argument(help="The person's e-mail address.")]

_WHY = {
    "email": "that is no e-mail address",
    "name": f"a name has 1 to {accounts.NAME_CHARACTERS_MAX} printable characters",
    "known": "somebody has this address already; `kulanz user list` shows who",
}


@dataclass(frozen=True, slots=True)
class Opened:
    """One transaction over all merchants, for one command."""

    session: AsyncSession
    merchant: Merchant
    now: datetime

    async def person(self, email: str) -> Person:
        """The merchant's person with this address, or the operator. Raises Refused."""
        for merchant_id in (self.merchant.id, None):
            found = await accounts.by_email(self.session, merchant_id, email)
            if found is not None:
                return found
        raise Refused(f"nobody at {self.merchant.key} has this address: `kulanz user list`")

    def note(self, kind: str, of: Person, **facts: Any) -> None:
        """Put it into the merchant's audit."""
        audit.note(
            self.session, audit.COMMAND_LINE, kind, self.now,
            merchant_id=self.merchant.id, of=of.id, **facts,
        )  # fmt: skip


@asynccontextmanager
async def _opened(merchant: str | None) -> AsyncIterator[Opened]:
    async with (
        merchant_opened(merchant) as (database, found, clock),
        database.operator() as session,
    ):
        yield Opened(session, found, clock.now())


@users.command("add")
def add(
    email: Email,
    name: Annotated[str, typer.Option(help="The name, as colleagues and the audit read it.")],
    role: Annotated[Role, typer.Option(help="What the person may do.")] = Role.AGENT,
    merchant: MerchantKey = None,
) -> None:
    """Add a person and print the link with which they set their password."""
    run(_add(email, name, role, merchant))


async def _add(email: str, name: str, role: Role, merchant: str | None) -> None:
    async with _opened(merchant) as opened:
        of = None if role is Role.OPERATOR else opened.merchant.id
        try:
            person = await accounts.add(opened.session, of, (email, name, role), opened.now)
        except accounts.PersonRefused as refused:
            raise Refused(_WHY[refused.why]) from None
        opened.note("person_invited", person, role=role.value)
        token = await make_password_link(opened.session, person, opened.now)
    _print_link(token, person)


@users.command("link")
def link(email: Email, merchant: MerchantKey = None) -> None:
    """Print a link with which the person sets a new password; older links end."""
    run(_link(email, merchant))


async def _link(email: str, merchant: str | None) -> None:
    async with _opened(merchant) as opened:
        person = await opened.person(email)
        if person.disabled_at is not None:
            raise Refused(f"{person.email} is locked out; `kulanz user enable` lets them in again")
        opened.note("password_link_made", person)
        token = await make_password_link(opened.session, person, opened.now)
    _print_link(token, person)


def _print_link(token: str, person: Person) -> None:
    lasts = f"{INVITATION_DAYS} days" if person.password is None else f"{RESET_HOURS} hours"
    console.print(f"{console_url(Settings())}/password/{token}", highlight=False, soft_wrap=True)
    console.print(f"for {person.name}, once, within {lasts}", highlight=False)


@users.command("list")
def list_(merchant: MerchantKey = None) -> None:
    """List a merchant's people, and the operators."""
    run(_list(merchant))


async def _list(merchant: str | None) -> None:
    address = Column("address", no_wrap=True)  # to be copied
    table = Table(address, "name", "role", "codes", "last sign-in", "state")
    async with _opened(merchant) as opened:
        zone = ZoneInfo(opened.merchant.timezone)
        operators = select(Person).where(Person.merchant_id.is_(None)).order_by(Person.name)
        people = [
            *await accounts.of_merchant(opened.session, opened.merchant.id),
            *await opened.session.scalars(operators),
        ]
    for one in people:
        seen = one.signed_in_at
        waits = one.password is None and seen is None
        table.add_row(
            one.email,
            one.name,
            one.role,
            "yes" if one.second_factor else "no",
            f"{seen.astimezone(zone):%Y-%m-%d %H:%M}" if seen else "-",
            "locked out" if one.disabled_at else "invited" if waits else "active",
        )
    console.print(table if people else "nobody yet; `kulanz user add` invites somebody")


@users.command("role")
def role_(email: Email, role: Role, merchant: MerchantKey = None) -> None:
    """Give a person another role; it counts at once."""
    run(_role(email, role, merchant))


async def _role(email: str, role: Role, merchant: str | None) -> None:
    async with _opened(merchant) as opened:
        person = await opened.person(email)
        if (person.merchant_id is None) != (role is Role.OPERATOR):
            raise Refused("an operator belongs to no merchant: add another person for that")
        person.role = role.value
        opened.note("person_role_changed", person, role=role.value)
    console.print(f"{person.email} is {role.value}", highlight=False)


@users.command("disable")
def disable(email: Email, merchant: MerchantKey = None) -> None:
    """Let a person in no more; whatever they have open ends."""
    run(_disable(email, merchant))


async def _disable(email: str, merchant: str | None) -> None:
    async with _opened(merchant) as opened:
        person = await opened.person(email)
        await accounts.keep_out(opened.session, person, opened.now)
        opened.note("person_disabled", person)
    console.print(f"{person.email} is locked out", highlight=False)


@users.command("enable")
def enable(email: Email, merchant: MerchantKey = None) -> None:
    """Let a person in again."""
    run(_enable(email, merchant))


async def _enable(email: str, merchant: str | None) -> None:
    async with _opened(merchant) as opened:
        person = await opened.person(email)
        person.disabled_at = None
        opened.note("person_enabled", person)
    console.print(f"{person.email} may sign in again", highlight=False)


@users.command("reset-second-factor")
def reset_second_factor(email: Email, merchant: MerchantKey = None) -> None:
    """For a lost phone: the next sign-in sets up a new second factor."""
    run(_reset(email, merchant))


async def _reset(email: str, merchant: str | None) -> None:
    async with _opened(merchant) as opened:
        person = await opened.person(email)
        await accounts.forget_second_factor(opened.session, person, opened.now)
        opened.note("second_factor_removed", person)
    console.print(f"{person.email} sets up a new second factor with the next sign-in")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    users.command("sso")(single_sign_on)
    app.add_typer(users, name="user")
