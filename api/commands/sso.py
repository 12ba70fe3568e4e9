"""``kulanz user sso``: the OpenID provider by which a merchant's people sign in."""

import re
import sys
from typing import Annotated

import typer

from api.commands.login import console_url
from api.commands.session import MerchantKey, Refused, console, errors, merchant_opened, run
from api.people import audit, sso
from api.people.roles import ROLES_OF_MERCHANT, Role
from api.people.sso import SecondFactor
from api.settings import Settings
from api.wiring import Keys
from storage.tables import Merchant, SsoProvider

_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")


def single_sign_on(
    merchant: MerchantKey = None,
    issuer: Annotated[
        str, typer.Option(help="The provider's address, exactly as it names itself.")
    ] = "",
    client_id: Annotated[str, typer.Option(help="What the provider calls Kulanz.")] = "",
    secret: Annotated[
        bool, typer.Option("--secret", help="Ask for the client secret, or read it from a pipe.")
    ] = False,
    domain: Annotated[
        list[str] | None,
        typer.Option(help="Addresses of this domain are let in; once for each."),
    ] = None,
    default_role: Annotated[
        Role | None,
        typer.Option(help="What somebody becomes who was not invited; without it, only invited."),
    ] = None,
    second_factor: Annotated[
        SecondFactor,
        typer.Option(
            help="Who asks for it: the provider, whatever it says; the provider where it has told "
            "us so, else we; or always ours."
        ),
    ] = SecondFactor.TOLD,
    off: Annotated[bool, typer.Option("--off", help="End signing in by the provider.")] = False,
) -> None:
    """Show, set or end a merchant's single sign-on by OpenID Connect."""
    if off:
        run(_off(merchant))
    elif not (issuer or client_id or domain):
        run(_show(merchant))
    else:
        typed = _typed_secret() if secret else None
        run(_set(merchant, _checked(issuer, client_id, domain or [], default_role, second_factor),
                 typed))  # fmt: skip


def _typed_secret() -> str:
    given: str = (
        typer.prompt("Client secret", hide_input=True)
        if sys.stdin.isatty()
        else sys.stdin.readline()
    )
    if not given.strip():
        errors.print("[bold red]✗[/] the client secret is empty", highlight=False)
        raise typer.Exit(2)
    return given.strip()


def _checked(
    issuer: str, client_id: str, domains: list[str], role: Role | None, second: SecondFactor
) -> dict[str, object]:
    """What is kept of it. Exits with 2 for what cannot work."""
    names = sorted({one.strip().lower().removeprefix("@") for one in domains})
    wrong = ""
    if not re.match(r"https://|http://(localhost|127\.0\.0\.1)[:/]", issuer):
        wrong = "--issuer is an https address"
    elif not client_id:
        wrong = "--client-id is needed"
    elif not names or not all(_DOMAIN.fullmatch(one) for one in names):
        wrong = "--domain is needed, like firma.example: only addresses of it are let in"
    elif role is not None and role not in ROLES_OF_MERCHANT:
        wrong = "an operator is made on the command line only"
    elif role is Role.OWNER:
        wrong = "whoever was not invited becomes no owner: owners are invited by name"
    if wrong:
        errors.print(f"[bold red]✗[/] {wrong}", highlight=False)
        raise typer.Exit(2)
    return {
        "issuer": issuer,
        "client_id": client_id,
        "email_domains": names,
        "default_role": role.value if role else None,
        "second_factor": second.value,
    }


async def _set(merchant: str | None, values: dict[str, object], secret: str | None) -> None:
    async with (
        merchant_opened(merchant) as (database, found, clock),
        database.merchant(found.id) as session,
    ):
        sealed = sso.sealed_secret(Keys.of(Settings()).secret_key, secret) if secret else None
        kept = await session.get(SsoProvider, found.id)
        if kept is None:
            kept = SsoProvider(merchant_id=found.id, created_at=clock.now(), **values)
            session.add(kept)
        same = (kept.issuer, kept.client_id) == (values["issuer"], values["client_id"])
        for name, value in values.items():
            setattr(kept, name, value)
        # A secret goes with the client that it was given for.
        kept.client_secret = sealed or (kept.client_secret if same else None)
        kept.sign_out_url = kept.sign_out_url if same else None
        audit.note(session, audit.COMMAND_LINE, "sso_changed", clock.now(), merchant_id=found.id)
    console.print(f"{found.name} signs in by {kept.issuer}", highlight=False)
    _tell_addresses(found)


async def _off(merchant: str | None) -> None:
    async with (
        merchant_opened(merchant) as (database, found, clock),
        database.merchant(found.id) as session,
    ):
        kept = await session.get(SsoProvider, found.id)
        if kept is None:
            raise Refused(f"{found.key} has no single sign-on")
        await session.delete(kept)
        audit.note(session, audit.COMMAND_LINE, "sso_changed", clock.now(), merchant_id=found.id)
    console.print("nobody comes in by the provider any more; open sessions go on until they end")


async def _show(merchant: str | None) -> None:
    async with (
        merchant_opened(merchant) as (database, found, _),
        database.merchant(found.id) as session,
    ):
        kept = await session.get(SsoProvider, found.id)
    if kept is None:
        console.print(
            f"{found.key} has no single sign-on; --issuer, --client-id and --domain set it"
        )
    else:
        role = kept.default_role or "nobody who was not invited"
        for name, value in (
            ("issuer", kept.issuer), ("client id", kept.client_id),
            ("client secret", "kept" if kept.client_secret else "none"),
            ("domains", ", ".join(kept.email_domains)), ("lets in as", role),
            ("second factor", kept.second_factor),
        ):  # fmt: skip
            console.print(f"{name}: {value}", highlight=False)
    _tell_addresses(found)


def _tell_addresses(found: Merchant) -> None:
    url = f"{console_url(Settings())}/sso/{found.key}"
    console.print(f"redirect address for the provider: {url}/return", highlight=False)
    console.print(f"people begin at: {url}", highlight=False)
