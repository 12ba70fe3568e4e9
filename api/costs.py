"""What conversations cost: messages counted as their providers count them, and an estimate.

SMS are counted by their parts (``channels/gsm7``), WhatsApp by templates and free messages. The
counts are exact as far as the messages table goes; the prices are data (``prices.toml``).
"""

import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from channels.gsm7 import segments
from storage.tables import Conversation, Customer, Message

LIST_PRICES = Path(__file__).with_name("prices.toml")
_ROWS_AT_A_TIME = 2_000


class PricesUnreadable(ValueError):
    """A file of prices is not of the documented form; the text says where."""


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one unit, with the day and the place it is from."""

    amount: Decimal
    currency: str
    as_of: date
    source: str


@dataclass(frozen=True, slots=True)
class Counted:
    """The units of one conversation."""

    conversation_id: int
    customer_number: str | None
    channel: str
    messages: int
    units: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Costs:
    """All conversations of a merchant in a period."""

    conversations: tuple[Counted, ...]
    prices: Mapping[str, Price]

    @property
    def units(self) -> Counter[str]:
        """Every unit, all conversations together."""
        total: Counter[str] = Counter()
        for one in self.conversations:
            total.update(one.units)
        return total

    def estimate(self, units: Mapping[str, int]) -> dict[str, Decimal]:
        """What these units cost by currency; currencies are not mixed."""
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for unit, count in units.items():
            price = self.prices[unit]
            sums[price.currency] += price.amount * count
        return {currency: amount for currency, amount in sorted(sums.items()) if amount}


def read_prices(own: Path | None = None) -> dict[str, Price]:
    """The list prices, with those of the merchant's own file in their place.

    Raises:
        PricesUnreadable: a unit that does not exist, or a price that is none.
    """
    known = tomllib.loads(LIST_PRICES.read_text("utf-8"))
    given: dict[str, Any] = {}
    if own is not None:
        try:
            given = tomllib.loads(own.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise PricesUnreadable(f"{own}: {error}") from error
    if unknown := sorted(set(given) - set(known)):
        raise PricesUnreadable(
            f"{own}: there is no {', '.join(unknown)}; known: {', '.join(known)}"
        )
    return {unit: _price(unit, given.get(unit, spec)) for unit, spec in known.items()}


def _price(unit: str, spec: Any) -> Price:
    try:
        amount = Decimal(spec["amount"])
        price = Price(amount, spec["currency"], spec["as_of"], spec["source"])
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise PricesUnreadable(
            f"{unit}: needs amount (as text), currency, as_of (a day) and source"
        ) from error
    if (
        not amount.is_finite()
        or amount < 0
        or not isinstance(spec["amount"], str)
        or not isinstance(price.as_of, date)
    ):
        raise PricesUnreadable(f"{unit}: amount is text of at least 0, as_of a day")
    return price


def units_of(channel: str, direction: str, text: str, *, template: str | None) -> Iterator[str]:
    """The units that one message is charged as; `template` is its category where it is one."""
    sent = direction == "out"
    if channel == "sms":
        yield from ["sms_sent" if sent else "sms_received"] * segments(text)
    elif channel == "whatsapp":
        yield "whatsapp_handled"
        if sent:
            yield f"whatsapp_{template}" if template else "whatsapp_free_form"
    elif channel == "telegram" and sent:
        yield "telegram"


async def counted(
    session: AsyncSession,
    merchant_id: int,
    prices: Mapping[str, Price],
    *,
    since: datetime,
    until: datetime,
) -> Costs:
    """Count what a merchant's providers took and delivered in a period (``until`` not included).

    Templates count as utility: that is what they are to be approved as.
    """
    wanted = (
        select(
            Message.conversation_id,
            Conversation.channel,
            Customer.number,
            Message.direction,
            Message.text,
            Message.template.is_not(None).label("template"),
        )
        .join(Conversation, Conversation.id == Message.conversation_id)
        .outerjoin(Customer, Customer.id == Conversation.customer_id)
        .where(
            Message.merchant_id == merchant_id,
            Message.created_at >= since,
            Message.created_at < until,
            (Message.direction == "in") | Message.sent_at.is_not(None),
            Message.page_customer_id.is_(None),  # no provider has carried it
        )
        .execution_options(yield_per=_ROWS_AT_A_TIME)
    )
    units: defaultdict[int, Counter[str]] = defaultdict(Counter)
    messages: Counter[int] = Counter()
    whose: dict[int, tuple[str | None, str]] = {}
    async for row in await session.stream(wanted):
        whose[row.conversation_id] = (row.number, row.channel)
        messages[row.conversation_id] += 1
        category = "utility" if row.template else None
        units[row.conversation_id].update(
            units_of(row.channel, row.direction, row.text, template=category)
        )
    return Costs(
        tuple(
            Counted(conversation, *whose[conversation], messages[conversation], units[conversation])
            for conversation in sorted(whose)
        ),
        prices,
    )
