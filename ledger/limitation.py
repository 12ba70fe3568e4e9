"""When a claim can no longer be enforced (limitation, §§ 194 ff. BGB)."""

from datetime import date

from ledger.schedule import add_months

YEARS = 3


def limitation_by_law(due: date) -> date:
    """The last day before limitation: the end of the third year after the one of the due day.

    Source: §§ 195, 199 I BGB; the creditor knows of its own invoice.
    """
    return date(due.year + YEARS, 12, 31)


def restarted(limitation: date, acknowledged: date) -> date:
    """The last day after an acknowledgment on that day; never earlier than it was.

    The three years begin anew with the next day (§ 212 I No. 1, § 187 I BGB), and end with that
    day of the third year, not with the year. What is time-barred already stays so.
    """
    if acknowledged > limitation:
        return limitation
    return max(limitation, add_months(acknowledged, 12 * YEARS))
