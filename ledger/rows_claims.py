"""Rows of open claims: the documented columns, and one row as checked values."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from ledger import rows
from ledger.contact import (
    NotAnEmailAddress,
    NotAPhoneNumber,
    PhoneNumber,
    email_address,
    phone_number,
)
from ledger.default import DefaultGround, default_earliest
from ledger.money import Money, Notation
from ledger.rows import CellRefused, Problem
from ledger.rows_file import Column, Record, header_key

T = TypeVar("T")

_GROUNDS = {
    "reminder": DefaultGround.REMINDER,
    "mahnung": DefaultGround.REMINDER,
    "calendar_date": DefaultGround.CALENDAR_DATE,
    "kalendertag": DefaultGround.CALENDAR_DATE,
    "noticed_30_days": DefaultGround.NOTICED_30_DAYS,
    "30_tage_hinweis": DefaultGround.NOTICED_30_DAYS,
}
CLOCK_SKEW_MAX = timedelta(minutes=5)
"""How far another system's clock may be ahead of ours before its times are refused."""

COLUMNS: tuple[Column, ...] = (
    Column(
        "customer_number",
        ("kundennummer", "kundennr", "kunden_nr", "customer_id", "kunde"),
        "Your number of the customer; rows with the same number are one customer.",
        "K-10021",
        required=True,
    ),
    Column(
        "name",
        ("nachname", "last_name", "surname", "firma", "company"),
        "Family name, or the name of a business.",
        "Öztürk",
        required=True,
    ),
    Column("first_name", ("vorname",), "First name; empty for a business.", "Aylin"),
    Column(
        "birth_date",
        ("geburtsdatum", "geburtstag", "date_of_birth"),
        "Used only to check who is writing.",
        "1988-03-14",
    ),
    Column(
        "postal_code",
        ("plz", "postleitzahl", "zip", "zip_code"),
        "Used only to check who is writing.",
        "10407",
    ),
    Column(
        "land",
        ("bundesland", "federal_state"),
        "Code of the Land, for its holidays: BW BY BE BB HB HH HE MV NI NW RP SL SN ST SH TH.",
        "BE",
    ),
    Column(
        "phone",
        ("telefon", "telefonnummer", "handy", "mobil", "mobilnummer", "mobile"),
        "Any usual form; numbers without country code are completed (Germany unless told "
        "otherwise). Text messages go to mobile numbers only.",
        "0171 3920014",
    ),
    Column(
        "whatsapp_consent",
        ("whatsapp_einwilligung", "whatsapp_opt_in"),
        "Whether, or since when, the customer agreed to WhatsApp: yes, no or a date.",
        "2026-02-01",
    ),
    Column("email", ("e_mail", "mail", "email_adresse"), "E-mail address.", "aylin@example.org"),
    Column("language", ("sprache",), "de or en; empty: not known.", "de"),
    Column(
        "address_form",
        ("anredeform",),
        "How the customer is addressed in German, sie or du; empty: as you do in general.",
        "sie",
    ),
    Column(
        "business",
        ("geschaeftskunde", "firmenkunde", "gewerblich", "b2b"),
        "yes for a business (other default interest); empty: no.",
        "no",
    ),
    Column(
        "claim_reference",
        ("forderungsnummer", "vorgangsnummer", "aktenzeichen", "reference", "claim"),
        "Your unchanging key of the claim; empty: the invoice number.",
        "F-2026-881",
    ),
    Column(
        "invoice_number",
        ("rechnungsnummer", "rechnungsnr", "rechnung", "re_nr", "invoice"),
        "The number that the customer finds on the invoice.",
        "RE-2026-1042",
        required=True,
    ),
    Column(
        "order_number",
        ("bestellnummer", "auftragsnummer", "order"),
        "Number of the order; may be used to check who is writing.",
        "B-55871",
    ),
    Column(
        "description",
        ("beschreibung", "leistung", "artikel", "betreff"),
        "What was bought or used, in the customer's words.",
        "Laufschuhe",
        required=True,
    ),
    Column(
        "contract_date",
        ("vertragsdatum", "bestelldatum", "order_date"),
        "Day of the order or contract.",
        "2026-07-28",
    ),
    Column("invoice_date", ("rechnungsdatum",), "Day of the invoice.", "2026-08-01", required=True),
    Column(
        "due_date",
        ("faelligkeit", "faelligkeitsdatum", "faellig_am", "faellig", "zahlbar_bis"),
        "Day it was to be paid by; not before the invoice's.",
        "2026-08-15",
        required=True,
    ),
    Column(
        "amount",
        ("betrag", "offener_betrag", "hauptforderung", "open_amount", "principal"),
        "What is open of the price now, without costs and interest.",
        "129.90",
        required=True,
        amount=True,
    ),
    Column(
        "costs",
        ("kosten", "mahnkosten", "nebenkosten"),
        "What is open of costs now.",
        "2.50",
        amount=True,
    ),
    Column(
        "costs_reason",
        ("kostengrund", "kosten_grund"),
        "What the costs are for; needed where there are costs.",
        "Rücklastschrift der Bank",
    ),
    Column("currency", ("waehrung",), "ISO 4217; empty: the merchant's currency.", "EUR"),
    Column(
        "default_since",
        ("verzug_seit", "in_verzug_seit"),
        "Day on which default began; without it no interest is ever counted.",
        "2026-09-10",
    ),
    Column(
        "default_proof",
        ("verzugsnachweis", "verzug_nachweis"),
        "What proves the default; needed where default_since is given.",
        "Mahnung vom 28.08.2026",
    ),
    Column(
        "default_ground",
        ("verzugsgrund", "verzug_grund"),
        "What brought default about: reminder, calendar_date or noticed_30_days (German: "
        "Mahnung, Kalendertag, 30-Tage-Hinweis). No interest is counted before the day that "
        "the law allows for it.",
        "reminder",
    ),
    Column(
        "consumer_loan",
        ("verbraucherdarlehen",),
        "yes for a consumer loan: payments go to the principal before interest (§ 497 III BGB); "
        "empty: no.",
        "no",
    ),
    Column(
        "limitation_date",
        ("verjaehrung", "verjaehrt_am", "verjaehrungsdatum"),
        "Last day before the claim is time-barred; empty: the end of the third year after the "
        "due day's (§§ 195, 199 BGB).",
        "2029-12-31",
    ),
    Column(
        "confirmed_at",
        ("bestaetigt_am", "stand", "stand_vom"),
        "When your books said so; empty: now. A time without offset is your local time.",
        "2026-11-23T06:00",
    ),
)


@dataclass(frozen=True, slots=True)
class Setting:
    """What a row's meaning depends on beside its cells."""

    now: datetime
    """Aware UTC."""
    zone: ZoneInfo
    currency: str
    region: str = "DE"
    """ISO 3166-1; completes phone numbers without country code."""
    notation: Notation = Notation.EITHER

    @property
    def today(self) -> date:
        """The merchant's calendar day."""
        return self.now.astimezone(self.zone).date()


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One row of open claims, checked; None means that the row says nothing about it."""

    line: int
    customer_number: str
    name: str
    first_name: str | None
    birth_date: date | None
    postal_code: str | None
    land: str | None
    phone: str | None
    phone_mobile: bool
    whatsapp: bool | None
    whatsapp_since: datetime | None
    email: str | None
    language: str | None
    address_form: str | None
    business: bool | None
    reference: str
    invoice_number: str
    order_number: str | None
    description: str
    contract_date: date | None
    invoice_date: date
    due_date: date
    principal: Money
    costs: Money | None
    costs_reason: str | None
    default_since: date | None
    default_proof: str | None
    default_ground: str | None
    consumer_loan: bool | None
    limitation_date: date | None
    confirmed_at: datetime | None


class CellReader:
    """Takes a record's cells one by one and collects what is wrong with them."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.problems: list[Problem] = []

    def refuse(self, column: str, reason: str) -> None:
        """Note a problem of this row."""
        self.problems.append(Problem(self.record.line, column, reason))

    def optional(self, column: str, read: Callable[[str], T]) -> T | None:
        """Read a cell; None where it is empty or refused."""
        text = self.record.cells.get(column)
        if text is None:
            return None
        try:
            return read(text)
        except (CellRefused, NotAPhoneNumber, NotAnEmailAddress) as error:
            self.refuse(column, str(error))
            return None

    def required(self, column: str, read: Callable[[str], T], otherwise: T) -> T:
        """Read a cell that must not be empty; ``otherwise`` stands in where it is refused."""
        if column not in self.record.cells:
            self.refuse(column, "must not be empty")
            return otherwise
        value = self.optional(column, read)
        return otherwise if value is None else value


def claim_row(record: Record, setting: Setting) -> ClaimRow | list[Problem]:
    """Check one row of open claims; return its values, or everything that is wrong with it."""
    cells = CellReader(record)
    text, number, day = rows.short_text, rows.reference, rows.day
    nothing = Money.zero(setting.currency)
    currency = cells.optional("currency", rows.currency_code) or setting.currency

    def money(cell: str) -> Money:
        return rows.amount(cell, currency, setting.notation)

    invoice_number = cells.required("invoice_number", number, "")
    phone = cells.optional("phone", lambda cell: _phone(cell, setting.region))
    consent = cells.optional("whatsapp_consent", lambda cell: _consent(cell, setting.zone))
    row = ClaimRow(
        line=record.line,
        customer_number=cells.required("customer_number", number, ""),
        name=cells.required("name", text, ""),
        first_name=cells.optional("first_name", text),
        birth_date=cells.optional("birth_date", day),
        postal_code=cells.optional("postal_code", _postal_code),
        land=cells.optional("land", rows.land),
        phone=phone.e164 if phone else None,
        phone_mobile=phone is not None and phone.mobile,
        whatsapp=consent[0] if consent else None,
        whatsapp_since=consent[1] if consent else None,
        email=cells.optional("email", lambda cell: email_address(rows.plain(cell))),
        language=cells.optional("language", rows.language),
        address_form=cells.optional("address_form", rows.address_form),
        business=cells.optional("business", rows.yes_no),
        reference=cells.optional("claim_reference", number) or invoice_number,
        invoice_number=invoice_number,
        order_number=cells.optional("order_number", number),
        description=cells.required(
            "description", lambda cell: text(cell, rows.DESCRIPTION_LENGTH_MAX), ""
        ),
        contract_date=cells.optional("contract_date", day),
        invoice_date=cells.required("invoice_date", day, setting.today),
        due_date=cells.required("due_date", day, setting.today),
        principal=cells.required("amount", money, nothing),
        costs=cells.optional("costs", money),
        costs_reason=cells.optional("costs_reason", text),
        default_since=cells.optional("default_since", day),
        default_proof=cells.optional("default_proof", text),
        default_ground=cells.optional("default_ground", _ground),
        consumer_loan=cells.optional("consumer_loan", rows.yes_no),
        limitation_date=cells.optional("limitation_date", day),
        confirmed_at=cells.optional("confirmed_at", lambda cell: rows.moment(cell, setting.zone)),
    )
    if not cells.problems:
        _check_together(row, cells, setting)
    return cells.problems or row


def _check_together(row: ClaimRow, cells: CellReader, setting: Setting) -> None:
    """Note what is wrong between the cells of a row."""
    if row.birth_date and row.birth_date >= setting.today:
        cells.refuse("birth_date", "lies in the future")
    if row.invoice_date > setting.today:
        cells.refuse("invoice_date", "lies in the future")
    if row.due_date < row.invoice_date:
        cells.refuse("due_date", "lies before the invoice date")
    if row.default_since and row.default_since < (earliest := _default_earliest(row)):
        cells.refuse("default_since", f"no default before {earliest} (§§ 286, 193 BGB)")
    if row.consumer_loan and row.business:
        cells.refuse("consumer_loan", "a business has no consumer loan")
    if row.default_since and not row.default_proof:
        cells.refuse("default_proof", "must say what proves the default since that day")
    if row.limitation_date and row.limitation_date <= row.invoice_date:
        cells.refuse("limitation_date", "must be after the invoice date")
    if row.costs and not row.costs_reason:
        cells.refuse("costs_reason", "must say what the costs are for")
    if row.whatsapp and not row.phone_mobile:
        cells.refuse("whatsapp_consent", "needs a mobile phone number")
    latest = setting.now + CLOCK_SKEW_MAX
    if row.confirmed_at and row.confirmed_at > latest:
        cells.refuse("confirmed_at", "lies in the future")
    if row.whatsapp_since and row.whatsapp_since > latest:
        cells.refuse("whatsapp_consent", "lies in the future")


def _default_earliest(row: ClaimRow) -> date:
    ground = DefaultGround(row.default_ground) if row.default_ground else None
    return default_earliest(row.due_date, row.land, ground=ground, received=row.invoice_date)


def _ground(cell: str) -> str:
    found = _GROUNDS.get(header_key(cell))
    if found is None:
        raise CellRefused(f"write one of {', '.join(DefaultGround)}")
    return found.value


def _phone(cell: str, region: str) -> PhoneNumber:
    if rows.SCIENTIFIC.fullmatch(cell.strip()):
        raise CellRefused("a spreadsheet has rounded this number; format the column as text")
    return phone_number(rows.plain(cell), region)


def _postal_code(cell: str) -> str:
    code = rows.short_text(cell, 12).upper()
    if not code.replace(" ", "").replace("-", "").isalnum():
        raise CellRefused("not a postal code")
    return code


def _consent(cell: str, zone: ZoneInfo) -> tuple[bool, datetime | None]:
    try:
        return rows.yes_no(cell), None
    except CellRefused:
        pass
    try:
        return True, rows.moment(cell, zone)
    except CellRefused as error:
        raise CellRefused("write yes, no or the day of the consent") from error
