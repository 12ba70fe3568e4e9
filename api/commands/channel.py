"""``kulanz channel``: give a merchant an address to write from, with templates and credentials."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from sqlalchemy.dialects.postgresql import insert

from api.accounts import Providers
from api.commands.session import Refused, console, merchant_named, run
from api.database import database_only
from api.settings import Settings
from api.wiring import Keys
from channels.message import Channel
from conversation.wording import load_catalogue
from ledger.contact import e164
from storage.engine import Database
from storage.tables import ChannelAccount

TEMPLATE = re.compile(r"(?P<key>[a-z_]+\.(de|en))=(?P<sid>HX[0-9a-fA-F]{32})\Z")
ASKED = {
    Channel.TELEGRAM: ("token", "webhook_secret"),
    Channel.SMS: ("account_sid", "auth_token"),
    Channel.WHATSAPP: ("account_sid", "auth_token"),
}


def channel(
    merchant: Annotated[str, typer.Argument(help="The merchant's key.")],
    kind: Annotated[Channel, typer.Argument(help="telegram, sms or whatsapp.")],
    address: Annotated[str, typer.Argument(help="Bot id (digits before the colon) or number.")],
    template: Annotated[
        list[str] | None,
        typer.Option(help="An approved WhatsApp template: first_contact.de=HX… (repeatable)."),
    ] = None,
    bot_name: Annotated[
        str | None,
        typer.Option(help="Telegram: the bot's name, so that customers get links t.me/<name>."),
    ] = None,
    own_credentials: Annotated[
        bool,
        typer.Option(
            "--own-credentials",
            help="Ask for this account's credentials and store them encrypted; "
            "without: those of the environment.",
        ),
    ] = False,
) -> None:
    """Add or change a channel account of a merchant."""
    given: dict[str, str] = {}
    if own_credentials:
        given = {name: typer.prompt(name, hide_input=True) for name in ASKED.get(kind, ())}
    run(_work(merchant, kind, address, template or [], bot_name, given))


async def _work(
    key: str,
    kind: Channel,
    address: str,
    templates: list[str],
    bot_name: str | None,
    credentials: dict[str, str],
) -> None:
    settings = Settings()
    facts: dict[str, Any] = {"enabled": True}
    if templates:
        facts["templates"] = dict(_template(given) for given in templates)
    if bot_name:
        facts["public_name"] = bot_name.removeprefix("@")
    if credentials:

        async def nobody(to: str, event: object) -> None:
            """No terminal listens to a command."""

        providers = Providers(settings, Keys.of(settings).secret_key, nobody)
        facts["credentials"] = providers.encrypt(credentials)
    async with database_only(settings) as urls:
        database = Database(urls, pool_size=1)
        try:
            async with database.operator() as session:
                owner = await merchant_named(session, key)
                row = insert(ChannelAccount).values(
                    merchant_id=owner.id,
                    channel=kind.value,
                    address=_address(kind, address),
                    created_at=datetime.now(UTC),
                    **facts,
                )
                stored = await session.scalar(
                    row.on_conflict_do_update(
                        index_elements=["channel", "address"],
                        set_=facts,
                        where=ChannelAccount.merchant_id == owner.id,
                    ).returning(ChannelAccount.id)
                )
                if stored is None:
                    raise Refused(f"{kind.value} {address} belongs to another merchant")
        finally:
            await database.close()
    console.print(f"{owner.key} writes on {kind.value} from {_address(kind, address)}")


def _address(kind: Channel, given: str) -> str:
    if kind is Channel.TELEGRAM:
        if not given.isdigit():
            raise Refused("a Telegram account is named by its bot id, the digits before the colon")
        return given
    try:
        return e164(given, "DE")
    except ValueError as error:
        raise Refused(str(error)) from error


def _template(given: str) -> tuple[str, str]:
    match = TEMPLATE.match(given)
    if match is None:
        raise Refused(f"{given!r} is not of the form first_contact.de=HX… (32 hex digits)")
    wording = load_catalogue().wordings.get(match["key"].partition(".")[0])
    if wording is None or not wording.template:
        raise Refused(f"there is no wording with a template called {match['key']!r}")
    return match["key"], match["sid"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(channel)
