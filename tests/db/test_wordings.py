"""A merchant's own texts and the variant of a message, from storing to the outbox."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from api.merchants import save_merchant
from conversation import inbox, outbox
from conversation.speaker import Reply
from storage.engine import Database
from storage.tables import ChannelAccount, Merchant, Message

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LINDENHOF = {"key": "lindenhof", "name": "Lindenhof Versand", "phone": "030 23125000"}
OWN = {"goodbye": {"de": {"sie": "Tschüss aus dem Lindenhof."}}}

LINK = "https://kulanz.example/echt/k7qmt-2rtxh"


async def queued(database: Database, merchant: Merchant, reply: Reply) -> Message:
    """What stands in the outbox after one reply to a conversation."""
    async with database.operator() as session:
        sender = await session.scalar(select(ChannelAccount))
        assert sender is not None
        account = inbox.Account(sender.id, merchant.id, sender.channel)
        conversation_id = await inbox.open_conversation(session, account, "+491511234567", NOW)
        held = await outbox.scene(session, conversation_id)
        written = await outbox.queue(
            session, held, held.speaker(verified=False), [reply], NOW, author="system"
        )
        message = await session.get(Message, written[0].message_id)
        assert message is not None
        return message


async def test_a_merchants_own_text_is_what_customers_read(
    database: Database, merchant: Merchant
) -> None:
    async with database.operator() as session:
        await save_merchant(session, {**LINDENHOF, "wordings": OWN}, NOW)
    message = await queued(database, merchant, Reply("goodbye"))
    assert message.text == "Tschüss aus dem Lindenhof."


async def test_own_texts_stay_until_others_are_given(
    database: Database, merchant: Merchant
) -> None:
    for wordings, stored in (({"wordings": OWN}, OWN), ({}, OWN), ({"wordings": {}}, {})):
        async with database.operator() as session:
            merchant_id = await save_merchant(session, {**LINDENHOF, **wordings}, NOW)
            found = await session.get(Merchant, merchant_id, populate_existing=True)
            assert found is not None
            assert found.wordings == stored


async def test_unfit_texts_are_refused_by_name(database: Database, merchant: Merchant) -> None:
    unfit = {"goodbye": {"de": {"sie": "Sonst geht es vor Gericht."}}}
    async with database.operator() as session:
        with pytest.raises(ValidationError, match=r"goodbye \(de sie\): threatens with Gericht"):
            await save_merchant(session, {**LINDENHOF, "wordings": unfit}, NOW)


async def test_the_variant_is_kept_with_the_message(database: Database, merchant: Merchant) -> None:
    reply = Reply("first_contact", {"proof": LINK}, variant=1)
    message = await queued(database, merchant, reply)
    assert (message.wording, message.variant) == ("first_contact", "hello")
    assert "Ein kurzes" in message.text
