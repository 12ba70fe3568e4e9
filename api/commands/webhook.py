"""``kulanz webhook``: where a merchant's events are posted to, and what became of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncSession

from api.clock import Clock
from api.commands.session import Refused, console, merchant_named, run
from api.database import database_only
from api.merchant_events import endpoints, replay, trial
from api.merchant_events.addresses import UrlRefused
from api.merchant_events.posting import Answer
from api.merchant_events.routes import delivery_view
from api.settings import Settings
from api.wiring import Keys, as_running
from storage.engine import Database
from storage.tables import Merchant

webhook = typer.Typer(
    help="Post what happened to the merchant's own systems (docs/events.md).", no_args_is_help=True
)
OfMerchant = Annotated[str | None, typer.Option("--merchant", help="The merchant's key.")]
EndpointId = Annotated[int, typer.Argument(help="Number of the endpoint, as `list` shows it.")]


@dataclass(frozen=True)
class _Open:
    """One transaction of a merchant, with what a command needs besides it."""

    session: AsyncSession
    merchant: Merchant
    settings: Settings
    now: datetime

    @property
    def secret_key(self) -> str:
        return Keys.of(self.settings).secret_key


@asynccontextmanager
async def _open(key: str | None) -> AsyncIterator[_Open]:
    settings = as_running(Settings())
    async with database_only(settings) as urls:
        database = Database(urls, pool_size=1)
        try:
            async with database.operator() as session:
                owner = await merchant_named(session, key)
            async with database.merchant(owner.id) as session:
                yield _Open(session, owner, settings, Clock(settings).now())
        except (
            *(endpoints.EndpointRefused, endpoints.EndpointUnknown),
            replay.DeliveryUnknown,
        ) as error:
            raise Refused(str(error)) from error
        finally:
            await database.close()


@webhook.command("add")
def add(
    url: Annotated[str, typer.Argument(help="https://…")],
    event: Annotated[
        list[str] | None,
        typer.Option(help="Only this kind of event (repeatable); without: all of them."),
    ] = None,
    merchant: OfMerchant = None,
) -> None:
    """Post events to URL from now on; prints the signing secret, once."""

    async def work() -> None:
        async with _open(merchant) as held:
            try:
                endpoint, secret = await endpoints.add(
                    held.session,
                    held.merchant.id,
                    url,
                    event or [],
                    settings=held.settings,
                    secret_key=held.secret_key,
                    now=held.now,
                )
            except UrlRefused as error:
                raise Refused(f"{url} {error}") from error
        console.print(f"endpoint {endpoint.id} of {held.merchant.key}: {endpoint.url}")
        _show_secret(secret)

    run(work())


@webhook.command("list")
def list_(merchant: OfMerchant = None) -> None:
    """List the endpoints."""

    async def work() -> None:
        table = Table("id", "url", "events", "state")
        async with _open(merchant) as held:
            for endpoint in await endpoints.of_merchant(held.session, held.merchant.id):
                table.add_row(
                    str(endpoint.id),
                    endpoint.url,
                    ", ".join(endpoint.kinds) or "all",
                    f"off since {endpoint.off_at:%Y-%m-%d %H:%M}" if endpoint.off_at else "on",
                )
        console.print(table)

    run(work())


@webhook.command("remove")
def remove(endpoint: EndpointId, merchant: OfMerchant = None) -> None:
    """Forget an endpoint, with its secrets and what was noted of its deliveries."""

    async def work() -> None:
        async with _open(merchant) as held:
            url = await endpoints.remove(held.session, held.merchant.id, endpoint)
        console.print(f"nothing is posted to {url} any more")

    run(work())


@webhook.command("rotate")
def rotate(
    endpoint: EndpointId,
    overlap_hours: Annotated[
        float, typer.Option(min=0, max=720, help="So long the secret before it signs along.")
    ] = 24,
    merchant: OfMerchant = None,
) -> None:
    """Give an endpoint a new signing secret; prints it, once."""

    async def work() -> None:
        async with _open(merchant) as held:
            secret = await endpoints.rotate(
                held.session,
                held.merchant.id,
                endpoint,
                overlap=timedelta(hours=overlap_hours),
                secret_key=held.secret_key,
                now=held.now,
            )
        _show_secret(secret)
        console.print(f"both secrets sign for {overlap_hours:g} hours")

    run(work())


@webhook.command("enable")
def enable(endpoint: EndpointId, merchant: OfMerchant = None) -> None:
    """Post to an endpoint again that was switched off because it answered 410."""

    async def work() -> None:
        async with _open(merchant) as held:
            await endpoints.switch_on(held.session, held.merchant.id, endpoint)
        console.print("on; `kulanz webhook replay --failed` posts what was missed")

    run(work())


@webhook.command("test")
def post_test(endpoint: EndpointId, merchant: OfMerchant = None) -> None:
    """Post a signed test event now and show the answer; exit code 1 unless it was taken."""

    async def work() -> Answer:
        async with _open(merchant) as held:
            found, signing = await trial.signing_of(
                held.session,
                held.merchant.id,
                endpoint,
                secret_key=held.secret_key,
                now=held.now,
            )
        return await trial.post_test(
            found.url, signing, held.merchant.key, settings=held.settings, now=held.now
        )

    answer = run(work())
    console.print(_said(answer.status, answer.error))
    if not answer.taken:
        raise typer.Exit(1)


@webhook.command("deliveries")
def deliveries(
    failed: Annotated[
        bool, typer.Option("--failed", help="Only those that were given up.")
    ] = False,
    pending: Annotated[bool, typer.Option("--pending", help="Only those still to come.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    merchant: OfMerchant = None,
) -> None:
    """Show what was posted where and what became of it, the newest first."""

    async def work() -> None:
        status = "failed" if failed else "pending" if pending else None
        table = Table("id", "event", "no.", "endpoint", "status", "attempts", "last", "next")
        async with _open(merchant) as held:
            zone = ZoneInfo(held.merchant.timezone)
            wanted = replay.Listed(status, most=limit)
            for row in await replay.deliveries(held.session, held.merchant.id, wanted):
                shown = delivery_view(row)
                table.add_row(
                    str(shown.id),
                    shown.event_type,
                    str(shown.sequence),
                    str(shown.endpoint_id),
                    shown.status,
                    str(shown.attempts),
                    _said(shown.answer, shown.error) if shown.attempted_at else "-",
                    _local(shown.next_attempt_at, zone),
                )
        console.print(table)

    run(work())


@webhook.command("replay")
def replay_(
    delivery: Annotated[int | None, typer.Argument(help="Number of one delivery.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="All that were given up.")] = False,
    since: Annotated[
        datetime | None, typer.Option(help="With --until: every event of a period, local time.")
    ] = None,
    until: Annotated[datetime | None, typer.Option(help="End of the period, not included.")] = None,
    endpoint: Annotated[
        int | None, typer.Option(help="With a period: to this endpoint only.")
    ] = None,
    merchant: OfMerchant = None,
) -> None:
    """Post events again, each under its own id."""
    period = since is not None and until is not None
    if [delivery is not None, failed, period].count(True) != 1 or (since is None) != (
        until is None
    ):
        raise typer.BadParameter("name a delivery, or --failed, or --since and --until")

    async def work() -> None:
        async with _open(merchant) as held:
            session, owner, now = held.session, held.merchant, held.now
            if delivery is not None:
                await replay.replay_one(session, owner.id, delivery, now)
                count = 1
            elif since is not None and until is not None:
                zone = ZoneInfo(owner.timezone)
                count = await replay.replay_period(
                    session,
                    owner.id,
                    since.replace(tzinfo=zone).astimezone(UTC),
                    until.replace(tzinfo=zone).astimezone(UTC),
                    now,
                    endpoint_id=endpoint,
                )
            else:
                count = await replay.replay_failed(session, owner.id, now)
        console.print(f"{count} to be posted again; a running service does it within seconds")

    run(work())


def _show_secret(secret: str) -> None:
    console.print(f"signing secret, shown once: {secret}", highlight=False, soft_wrap=True)


def _said(status: int | None, error: str | None) -> str:
    return " ".join(str(part) for part in (status, error) if part is not None)


def _local(moment: datetime | None, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}" if moment else "-"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(webhook, name="webhook")
