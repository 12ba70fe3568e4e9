"""Hours and channels at the console."""

import re
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from negotiation.policy_data import policy_from_data
from storage.engine import Database
from storage.tables import ChannelAccount, Conversation, Merchant, Message, SettingChange
from tests.conftest import NOW
from tests.db.console_browser import Console, hidden, words

PATH = "/console/settings/contact"
HOURS = {
    "contact_country": "DE",
    "land": "BY",
    "answer_minutes": "30",
    "opening_hours-monday-opens": "08:00",
    "opening_hours-monday-closes": "16:30",
}


async def save(console: Console, **fields: str) -> Any:
    version = hidden(await console.get(PATH), "version")
    return await console.post(PATH, **{"version": version, **HOURS, **fields})


async def test_hours_are_saved_into_the_one_policy_with_their_history(
    console: Console, database: Database, merchant: Merchant
) -> None:
    own = {"weekday-opens": "10:00", "weekday-closes": "18:00", "saturday-never": "yes"}
    answer = await save(console, **own, per_week_max="1", why="ruhiger")
    assert answer.status_code == 303, words(answer)
    async with database.merchant(merchant.id) as session:
        row = await session.get_one(Merchant, merchant.id)
        (change,) = (await session.scalars(select(SettingChange))).all()
    policy = policy_from_data(row.policy)
    assert row.land == "BY"
    assert policy.opening_hours == {"monday": "08:00-16:30"}
    assert policy.contact_rules == {"weekday": "10:00-18:00", "saturday": "", "per_week_max": 1}
    assert (change.part, change.why, change.person) == ("contact", "ruhiger", "m.koch")
    page = words(await console.get(PATH))
    assert "Montag bis Freitag 10:00–18:00 Samstag nie Sonntag nie" in page
    assert "48 Stunden Abstand, höchstens 1 in sieben Tagen" in page
    assert "Montag 08:00-16:30" in page


async def test_hours_that_leave_nothing_are_refused_beside_the_field(
    console: Console, database: Database, merchant: Merchant
) -> None:
    late = await save(console, **{"weekday-opens": "21:00", "weekday-closes": "20:00"})
    assert late.status_code == 422
    assert 'id="w-weekday"' in late.text
    zoned = await save(console, **{"weekday-opens": "09:00", "weekday-closes": "17:00+01:00"})
    assert zoned.status_code == 422
    assert 'id="w-weekday"' in zoned.text
    night = await save(
        console, **{"weekday-opens": "20:30", "weekday-closes": "23:00", "saturday-never": "yes"}
    )
    assert night.status_code == 422
    assert "keine Zeit übrig" in words(night)
    nobody = await save(
        console, **{"opening_hours-monday-opens": "", "opening_hours-monday-closes": ""}
    )
    assert nobody.status_code == 422
    assert "wenigstens einen Tag" in words(nobody)
    strange = await save(console, land="XX", contact_country="ZZ", answer_minutes="viele")
    assert strange.status_code == 422
    assert 'id="w-land"' in strange.text
    assert 'id="w-contact_country"' in strange.text
    async with database.merchant(merchant.id) as session:
        assert (await session.get_one(Merchant, merchant.id)).policy == {}


async def test_an_old_form_changes_nothing(console: Console) -> None:
    version = hidden(await console.get(PATH), "version")
    await save(console)
    answer = await console.post(PATH, **{"version": version, **HOURS, "land": "BE"})
    assert answer.status_code == 422
    assert "jemand anderes" in words(answer)


async def test_a_channel_shows_its_last_success_and_failure(
    console: Console, database: Database, merchant: Merchant
) -> None:
    of: dict[str, Any] = {"merchant_id": merchant.id}
    async with database.merchant(merchant.id) as session:
        account = await session.scalar(select(ChannelAccount))
        assert account is not None
        talk = Conversation(
            channel_account_id=account.id, channel="sms", address="+4917604069000",
            created_at=NOW, **of,
        )  # fmt: skip
        session.add(talk)
        await session.flush()
        for minutes, status, error in ((9, "delivered", None), (3, "failed", "21610")):
            at = NOW - timedelta(minutes=minutes)
            session.add(
                Message(
                    conversation_id=talk.id, channel_account_id=account.id, direction="out",
                    author="bot", kind="message", text="x", status=status, error=error,
                    sent_at=at, created_at=at, **of,
                )
            )  # fmt: skip
    page = words(await console.get(PATH))
    told = r"zuletzt fehlgeschlagen Mo. 23.11.2026 10:51 Mo. 23.11.2026 10:57 21610"
    assert re.search(told, page)
    asked = await console.post(f"{PATH}/check")
    assert "Zu keinem Ihrer Kanäle" in words(asked)
