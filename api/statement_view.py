"""A statement as tables of a terminal."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import format_currency
from rich.box import SIMPLE_HEAD
from rich.table import Table

from conversation.wording import load_catalogue
from ledger.interest import Interest
from ledger.money import Money
from ledger.statement import AgreementRecord, Statement

NOT_CONFIRMED = "not confirmed"


def money(amount: Money) -> str:
    """An amount in German form, ``1.234,56 €``."""
    return str(format_currency(amount.decimal, amount.currency, locale="de_DE"))


def statement_table(found: Statement) -> Table:
    """Each posting with the open amount after it."""
    table = Table(
        "no.",
        "value date",
        "what",
        "from → to",
        title=f"Claim {found.reference} · {found.description} · {found.rf_reference}",
        caption=(
            f"open {money(found.open.total)}{_accrued(found)} · {found.status.value} · "
            f"hash chain {'intact' if found.intact else 'BROKEN'}"
        ),
    )
    table.add_column("amount", justify="right")
    table.add_column("open after", justify="right")
    for number, line in enumerate(found.lines, start=1):
        posting = line.posting
        table.add_row(
            str(number),
            posting.value_date.isoformat(),
            posting.kind.value,
            f"{posting.source.value} → {posting.destination.value}",
            money(posting.amount),
            money(line.open_after),
        )
    return table


def _rhythm(agreement: AgreementRecord) -> list[str]:
    if (rhythm := agreement.rhythm) is None:
        return []
    often = load_catalogue().phrase("rhythm", rhythm, "en", "sie")
    return [f"{len(agreement.progress)} instalments, {often}"]


def _accrued(found: Statement) -> str:
    if not found.accrued:
        return ""
    return f", with {money(found.accrued)} of interest that is not posted yet"


def interest_table(found: Interest) -> Table:
    """Default interest period by period, both ends counted; what is not confirmed says so."""
    table = Table("from", "to", title="default interest", caption=_total(found), box=SIMPLE_HEAD)
    for name in ("days", "principal", "base rate", "percent", "amount"):
        table.add_column(name, justify="right", no_wrap=True)
    for part in found.segments:
        table.add_row(
            part.first.isoformat(),
            part.last.isoformat(),
            str(part.days),
            money(part.principal),
            f"{part.base_percent} %{'' if part.confirmed else ' *'}",
            f"{part.percent} %",
            money(part.amount),
        )
    return table


def _total(found: Interest) -> str:
    state = "" if found.confirmed else f"; * base rate {NOT_CONFIRMED}"
    return f"together {money(found.amount)}{state}"


def agreement_table(agreement: AgreementRecord, today: date, zone: ZoneInfo) -> Table:
    """What was agreed, each amount with its day and how it stands; ended: when and why."""
    ended = ""
    if agreement.ended_at is not None:
        ended = f" {_moment(agreement.ended_at, zone)}"
        ended += f" ({_spelled(agreement.end_reason)})" if agreement.end_reason else ""
    made = f"agreed {_moment(agreement.agreed_at, zone)}"
    made += f" ({_spelled(agreement.because)})" if agreement.because else ""
    table = Table(
        "no.",
        "due",
        title=f"{_spelled(agreement.terms.kind.value)}, {agreement.status.value}{ended}",
        caption=" · ".join([f"total {money(agreement.terms.total)}", *_rhythm(agreement), made]),
    )
    table.add_column("amount", justify="right")
    table.add_column("paid", justify="right")
    table.add_column("")
    for part in agreement.progress:
        due = format_date(part.instalment.due, "d. MMMM yyyy", locale="de_DE")
        table.add_row(
            str(part.instalment.number),
            due,
            money(part.instalment.amount),
            money(part.paid),
            _spelled(part.state(today).value),
        )
    return table


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def _spelled(code: str) -> str:
    return code.replace("_", " ")
