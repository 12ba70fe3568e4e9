"""``kulanz doctor``: what is configured, what is reachable, what is missing, and what to do."""

import asyncio
import contextlib
import shutil
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Annotated, Any

import httpx
import typer
from redis.asyncio import Redis
from rich.table import Table
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from api import live_accounts as live
from api import live_checks
from api.clock import Clock
from api.commands.session import console
from api.findings import BAD, GOOD, MISSING, Finding
from api.letter_data import collector_findings
from api.merchant_events.health import examine_endpoints
from api.service import BOT_PYTHON
from api.settings import PROJECT, Settings
from api.wiring import Keys, NotRunning, Running, as_running
from conversation.engine import RasaEngine
from ledger.base_rate import SHIPPED, BaseRate, base_rate_on, not_confirmed
from ledger.book import base_rates
from storage.engine import Database, DatabaseUrls
from storage.tables import Claim, Merchant, Message


def doctor(
    asked: Annotated[
        bool,
        typer.Option("--live", help="Also ask Telegram and Twilio what they have on file."),
    ] = False,
) -> None:
    """Say what is configured, reachable and missing; exit code 1 if something is broken."""
    settings = Settings()
    findings = asyncio.run(examine(settings))
    if asked:
        findings += asyncio.run(examine_live(settings))
    table = Table("")
    for heading in ("part", "state", "what to do"):
        table.add_column(heading, overflow="fold")  # an address is of use as a whole only
    for finding in findings:
        table.add_row(finding.mark, finding.what, finding.state, finding.advice)
    console.print(table)
    if any(finding.mark == BAD for finding in findings):
        raise typer.Exit(1)


async def examine(settings: Settings) -> list[Finding]:
    """Look at every part."""
    findings = [*_installation(), *_configuration(settings)]
    try:
        running = Running.load(settings.state_file)
    except NotRunning:
        shipped = base_rate_finding(SHIPPED, datetime.now(UTC).date())
        findings.append(replace(shipped, what="base rate, as shipped"))
        findings.append(Finding(MISSING, "service", "not running", "kulanz up"))
        return findings
    findings.append(Finding(GOOD, "service", f"process {running.supervisor_pid}"))
    checks: list[tuple[str, Callable[[], Coroutine[Any, Any, str]], str]] = [
        ("database", lambda: _database(settings, running), "see the log of postgres"),
        ("redis", lambda: _redis(running), "see the log of valkey"),
        ("web", lambda: _web(running), "see the log of web"),
        ("assistant", lambda: _assistant(settings, running), "it needs about 20 s to load"),
    ]
    for name, check, advice in checks:
        try:
            findings.append(Finding(GOOD, name, await check()))
        except Exception as error:  # each part may fail in its own way, all are reported
            findings.append(Finding(BAD, name, f"no answer ({type(error).__name__})", advice))
    with contextlib.suppress(SQLAlchemyError, OSError):  # the database's own line says that
        findings += await _endpoints(settings, running)
    with contextlib.suppress(SQLAlchemyError, OSError):
        findings += await _collectors(settings, running)
    with contextlib.suppress(Exception):  # a database that does not answer is reported above
        rates = await _base_rates(settings, running)
        findings.append(base_rate_finding(rates, datetime.now(UTC).date()))
    return findings


def base_rate_finding(rates: tuple[BaseRate, ...], today: date) -> Finding:
    """Whether the base rate of every half year up to today is confirmed."""
    missing = not_confirmed(rates[0].since, today, rates)
    if not missing:
        now = base_rate_on(today, rates)
        return Finding(GOOD, "base rate", f"{now.percent} % since {now.since}, confirmed")
    since = ", ".join(day.isoformat() for day in missing)
    return Finding(
        MISSING,
        "base rate",
        f"not confirmed for the half year from {since}",
        f"kulanz base-rate add {missing[0]} PERCENT --source NOTICE",
    )


async def _base_rates(settings: Settings, running: Running) -> tuple[BaseRate, ...]:
    urls = DatabaseUrls.derive(running.owner_url, Keys.of(settings).role_password)
    database = Database(urls, pool_size=1)
    try:
        async with database.operator() as session:
            return await base_rates(session)
    finally:
        await database.close()


def _installation() -> list[Finding]:
    findings = []
    bot = BOT_PYTHON.exists()
    findings.append(
        Finding(
            GOOD if bot else BAD,
            "assistant's environment",
            "installed" if bot else "missing",
            "" if bot else "make install",
        )
    )
    models = list((PROJECT / "bot" / "models").glob("*.tar.gz"))
    findings.append(
        Finding(GOOD, "model", max(models, key=lambda m: m.stat().st_mtime).name)
        if models
        else Finding(MISSING, "model", "not trained", "kulanz train")
    )
    free_gib = shutil.disk_usage(PROJECT).free / 2**30
    findings.append(
        Finding(
            GOOD if free_gib > 2 else BAD,
            "disk",
            f"{free_gib:.0f} GiB free",
            "" if free_gib > 2 else "make room",
        )
    )
    return findings


def _configuration(settings: Settings) -> list[Finding]:
    embedded = "embedded (no URL set)"
    findings = [
        Finding(GOOD, "database setting", "by URL" if settings.database_url else embedded),
        Finding(GOOD, "redis setting", "by URL" if settings.redis_url else embedded),
        Finding(GOOD, "public address", settings.public_url)
        if settings.public_url
        else Finding(
            MISSING, "public address", "not set", "KULANZ_PUBLIC_URL, needed for real webhooks"
        ),
    ]
    if settings.secret_key is None:
        findings.append(
            Finding(
                MISSING,
                "secret key",
                "generated in the data directory",
                "set KULANZ_SECRET_KEY to run more than one machine",
            )
        )
    groups = {
        "telegram": ("telegram_bot_token", "telegram_bot_name", "telegram_webhook_secret"),
        "twilio": ("twilio_account_sid", "twilio_auth_token"),
    }
    for name, fields in groups.items():
        missing = [f"KULANZ_{f.upper()}" for f in fields if getattr(settings, f) is None]
        if not missing:
            findings.append(Finding(GOOD, name, "configured"))
        elif len(missing) == len(fields):
            findings.append(Finding(MISSING, name, "not configured", "docs/connect.md"))
        else:
            findings.append(Finding(BAD, name, "half configured", f"set {', '.join(missing)}"))
    if settings.twilio_account_sid and not (
        settings.twilio_sms_from or settings.twilio_whatsapp_from
    ):
        findings.append(
            Finding(
                BAD,
                "twilio senders",
                "none",
                "set KULANZ_TWILIO_SMS_FROM or KULANZ_TWILIO_WHATSAPP_FROM",
            )
        )
    return findings


async def examine_live(settings: Settings) -> list[Finding]:
    """What the providers say of every account; those of the environment where no service runs."""
    if not settings.public_url:
        return [Finding(BAD, "live", "no public address", "set KULANZ_PUBLIC_URL")]
    try:
        accounts = await live_accounts(settings, Running.load(settings.state_file))
    except NotRunning:
        return [Finding(BAD, "live", "no service runs", "kulanz up, then again")]
    if not accounts:
        return [Finding(MISSING, "live", "no account to ask about", "docs/connect.md")]
    return await live.ask(accounts, settings)


async def live_accounts(settings: Settings, running: Running) -> list[live_checks.LiveAccount]:
    """Every enabled account with the credentials that are in force for it."""
    keys = Keys.of(settings)
    database = Database(DatabaseUrls.derive(running.owner_url, keys.role_password), pool_size=1)
    try:
        async with database.operator() as session:
            return await live.in_force(session, settings, keys.secret_key)
    finally:
        await database.close()


async def _database(settings: Settings, running: Running) -> str:
    urls = DatabaseUrls.derive(running.owner_url, Keys.of(settings).role_password)
    database = Database(urls, pool_size=1)
    try:
        async with database.operator() as session:
            version = await session.scalar(text("SHOW server_version"))
            merchants = await session.scalar(select(func.count()).select_from(Merchant))
            claims = await session.scalar(select(func.count()).select_from(Claim))
            unknown = await session.scalar(
                select(func.count()).select_from(Message).where(Message.status == "unknown")
            )
            waiting = await session.scalar(
                select(func.count())
                .select_from(Message)
                .where(Message.direction == "in", Message.handled_at.is_(None))
            )
    finally:
        await database.close()
    return (
        f"PostgreSQL {version}: {merchants} merchants, {claims} claims, {waiting} messages "
        f"waiting, {unknown} sends unknown"
    )


async def _endpoints(settings: Settings, running: Running) -> list[Finding]:
    urls = DatabaseUrls.derive(running.owner_url, Keys.of(settings).role_password)
    database = Database(urls, pool_size=1)
    try:
        async with database.operator() as session:
            return await examine_endpoints(session, Clock(as_running(settings)).now())
    finally:
        await database.close()


async def _collectors(settings: Settings, running: Running) -> list[Finding]:
    urls = DatabaseUrls.derive(running.owner_url, Keys.of(settings).role_password)
    database = Database(urls, pool_size=1)
    try:
        async with database.operator() as session:
            rows = await session.execute(select(Merchant.key, Merchant.kind, Merchant.letter))
            return collector_findings({key: (kind, letter) for key, kind, letter in rows})
    finally:
        await database.close()


async def _redis(running: Running) -> str:
    client = Redis.from_url(running.redis_url, socket_timeout=2)
    try:
        info = await client.info("server")
    finally:
        await client.aclose()
    return f"{info.get('server_name', 'redis')} {info.get('valkey_version', info['redis_version'])}"


async def _web(running: Running) -> str:
    async with httpx.AsyncClient(timeout=3) as client:
        (await client.get(f"{running.web_url}/health")).raise_for_status()
    return running.web_url


async def _assistant(settings: Settings, running: Running) -> str:
    engine = RasaEngine(running.rasa_urls, Keys.of(settings).rasa_secret)
    try:
        if not await engine.ready():
            raise ConnectionError
    finally:
        await engine.close()
    return "Rasa answers"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)
