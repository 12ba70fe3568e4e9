"""What conversations cost: counted as providers count, priced by data that names its source."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from api.commands.costs import as_data
from api.costs import PricesUnreadable, counted, read_prices, units_of
from storage.engine import Database
from storage.tables import ChannelAccount, Conversation, Customer, Merchant, Message
from tests.conftest import NOW


@pytest.mark.parametrize(
    ("channel", "direction", "text", "template", "units"),
    [
        ("sms", "out", "x" * 160, None, {"sms_sent": 1}),
        ("sms", "out", "x" * 161, None, {"sms_sent": 2}),
        ("sms", "out", "😀" * 36, None, {"sms_sent": 2}),
        ("sms", "in", "ja", None, {"sms_received": 1}),
        ("whatsapp", "out", "x" * 900, None, {"whatsapp_free_form": 1, "whatsapp_handled": 1}),
        ("whatsapp", "out", "", "utility", {"whatsapp_utility": 1, "whatsapp_handled": 1}),
        ("whatsapp", "in", "ja", None, {"whatsapp_handled": 1}),
        ("telegram", "out", "x" * 900, None, {"telegram": 1}),
        ("telegram", "in", "ja", None, {}),
        ("terminal", "out", "ja", None, {}),
    ],
)
def test_a_message_is_charged_by_its_channel(
    channel: str, direction: str, text: str, template: str | None, units: dict[str, int]
) -> None:
    found = list(units_of(channel, direction, text, template=template))
    assert {unit: found.count(unit) for unit in found} == units
    assert set(found) <= set(read_prices())


async def test_counts_what_was_taken_in_the_period_and_nothing_else(
    database: Database, merchant: Merchant, customer: Customer
) -> None:
    other = Merchant(key="other", name="Other", created_at=NOW)
    async with database.operator() as session:
        session.add(other)
        await session.flush()
        for owner, channel, address, person in (
            (merchant.id, "sms", "+4915735990009", customer.id),
            (merchant.id, "whatsapp", "+4915735990008", None),
            (other.id, "sms", "+4915735990007", None),
        ):
            account = ChannelAccount(
                merchant_id=owner, channel=channel, address=address, created_at=NOW
            )
            session.add(account)
            await session.flush()
            held = Conversation(
                merchant_id=owner, channel_account_id=account.id, channel=channel,
                address="+4915112345678", customer_id=person, created_at=NOW,
            )  # fmt: skip
            session.add(held)
            await session.flush()
            for direction, text, sent, template, at in (
                ("out", "x" * 200, NOW, {"id": "HX"} if channel == "whatsapp" else None, NOW),
                ("out", "never sent", None, None, NOW),
                ("in", "ja", None, None, NOW),
                ("out", "long ago", NOW, None, NOW - timedelta(days=40)),
            ):
                session.add(
                    Message(
                        merchant_id=owner, conversation_id=held.id, channel_account_id=account.id,
                        direction=direction, author="bot", kind="message", text=text,
                        template=template, sent_at=sent, created_at=at,
                    )
                )  # fmt: skip
            for direction in ("in", "out"):  # on the page: no provider has carried it
                session.add(
                    Message(
                        merchant_id=owner, conversation_id=held.id, channel_account_id=account.id,
                        direction=direction, author="bot", kind="message", text="on the page",
                        page_customer_id=customer.id, sent_at=NOW, created_at=NOW,
                    )
                )  # fmt: skip
    async with database.merchant(merchant.id) as session:
        found = await counted(
            session,
            merchant.id,
            read_prices(),
            since=NOW - timedelta(days=1),
            until=NOW + timedelta(days=1),
        )
    assert found.units == {
        "sms_sent": 2,
        "sms_received": 1,
        "whatsapp_utility": 1,
        "whatsapp_handled": 2,
    }
    assert [(one.customer_number, one.channel, one.messages) for one in found.conversations] == [
        ("K-1001", "sms", 2),
        (None, "whatsapp", 2),
    ]
    prices = found.prices
    assert found.estimate(found.units) == {
        "EUR": prices["whatsapp_utility"].amount,
        "USD": 2 * prices["sms_sent"].amount
        + prices["sms_received"].amount
        + 2 * prices["whatsapp_handled"].amount,
    }
    data = as_data(found, "lindenhof", NOW.date(), NOW.date())
    assert data["estimate"] is True
    assert data["conversations"][0]["cost"] == {"USD": "0.2083"}
    assert all(one["source"] and one["as_of"] for one in data["prices"].values())


def test_a_merchants_own_prices_go_before_the_list(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text(
        '[sms_sent]\namount = "0.062"\ncurrency = "EUR"\nas_of = 2026-10-01\nsource = "contract"\n'
    )
    prices = read_prices(own)
    assert prices["sms_sent"].amount == Decimal("0.062")
    assert prices["sms_sent"].source == "contract"
    assert prices["telegram"] == read_prices()["telegram"]


@pytest.mark.parametrize(
    "text",
    [
        '[pigeon]\namount = "1"\ncurrency = "EUR"\nas_of = 2026-10-01\nsource = "x"\n',
        '[sms_sent]\namount = "1"\ncurrency = "EUR"\nas_of = 2026-10-01\n',
        '[sms_sent]\namount = 0.1\ncurrency = "EUR"\nas_of = 2026-10-01\nsource = "x"\n',
        '[sms_sent]\namount = "-1"\ncurrency = "EUR"\nas_of = 2026-10-01\nsource = "x"\n',
        '[sms_sent]\namount = "NaN"\ncurrency = "EUR"\nas_of = 2026-10-01\nsource = "x"\n',
        '[sms_sent]\namount = "1"\ncurrency = "EUR"\nas_of = "recently"\nsource = "x"\n',
        "[sms_sent\n",
        "sms_sent = 3\n",
    ],
)
def test_prices_that_are_none_are_refused(tmp_path: Path, text: str) -> None:
    own = tmp_path / "prices.toml"
    own.write_text(text)
    with pytest.raises(PricesUnreadable):
        read_prices(own)


def test_every_list_price_says_its_day_and_its_source() -> None:
    for unit, price in read_prices().items():
        assert price.amount >= 0, unit
        assert price.source, unit
