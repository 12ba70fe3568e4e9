"""The demo's sample file, taken in by the very same import as any merchant's file."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from ledger.intake_book import Difference, Outcome, RowsRefused, Source, take_claims
from ledger.rows import Problem
from ledger.rows_claims import COLUMNS, Setting
from ledger.rows_file import open_rows
from storage.engine import Database
from storage.tables import Merchant


async def import_sample_claims(
    database: Database, merchant: Merchant, file: Path, now: datetime
) -> Outcome:
    """Import the file; a second time confirms the same open amounts and changes nothing.

    Raises:
        RowsRefused: the file has a wrong row, which is a defect of ours; the text names it.
    """
    problems: list[Problem] = []

    def shown(difference: Difference) -> None:
        """Changes of the demo's user stay: they are not applied."""

    rows = open_rows(file, COLUMNS)
    setting = Setting(
        now=now,
        zone=ZoneInfo(merchant.timezone),
        currency=merchant.currency,
        notation=rows.notation,
    )
    try:
        async with database.merchant(merchant.id) as session:
            return await take_claims(
                session,
                rows.records(),
                setting,
                Source("claims", file.name, rows.sha256),
                merchant_id=merchant.id,
                report=problems.append,
                show=shown,
            )
    except RowsRefused as error:
        raise RowsRefused(error.count) from ValueError(str(problems[:3]))
