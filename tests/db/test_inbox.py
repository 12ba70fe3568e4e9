"""The inbox: a message is stored once, with its job, or not at all."""

import asyncio
import re
import unicodedata
from dataclasses import replace

import procrastinate
import psycopg
import pytest
from sqlalchemy import func, select, text

from api.queue import Overtaken, copied, defer_turn, queue
from channels.message import Attachment, AttachmentKind, Channel, InboundKind, InboundMessage
from conversation import inbox
from storage.engine import Database, libpq_dsn
from storage.tables import ContactPoint, Conversation, Customer, Merchant, Message
from tests.conftest import NOW

ACCOUNT = "+4915735990001"


def inbound(number: int, *, sender: str = "+4915735998881", body: str = "Hallo") -> InboundMessage:
    return InboundMessage(
        channel=Channel.SMS,
        account=ACCOUNT,
        provider_message_id=f"SM{number}",
        sequence=None,
        sender=sender,
        kind=InboundKind.MESSAGE,
        text=body,
        raw={"Body": body},
    )


@pytest.fixture
async def jobs(database: Database) -> procrastinate.App:
    connector = procrastinate.PsycopgConnector(conninfo=libpq_dsn(database.urls.operator))
    app = procrastinate.App(connector=connector)
    app.add_tasks_from(copied(queue), namespace="kulanz")
    return app


async def accept(database: Database, jobs: procrastinate.App, message: InboundMessage) -> bool:
    async with database.operator() as session:
        accepted = await inbox.accept(session, message, NOW)
        if accepted.new:
            await defer_turn(jobs, session, accepted.merchant_id, accepted.conversation_id)
    return accepted.new


async def counted(database: Database) -> tuple[int, int]:
    async with database.operator() as session:
        messages = await session.scalar(select(func.count()).select_from(Message))
        waiting = await session.scalar(
            text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'")
        )
    return messages or 0, waiting or 0


async def test_a_waiting_job_does_not_undo_the_next_message(
    database: Database, merchant: Merchant, jobs: procrastinate.App
) -> None:
    async with jobs.open_async():
        # More than psycopg's five executions: the statements are prepared on the server by then.
        for number in range(12):
            assert await accept(database, jobs, inbound(number))
    assert await counted(database) == (12, 1)
    async with database.operator() as session:  # the same connection, the newest of its pool
        prepared = await session.scalar(text("SELECT count(*) FROM pg_prepared_statements"))
    assert prepared, "something on the way took the prepared statements from the connection"


async def test_messages_accepted_at_once_are_all_kept(
    database: Database, merchant: Merchant, jobs: procrastinate.App
) -> None:
    async with jobs.open_async():
        results = await asyncio.gather(
            *(
                accept(database, jobs, inbound(n, sender=f"+491573599{n % 4:04d}"))
                for n in range(40)
            )
        )
    assert all(results)
    assert await counted(database) == (40, 4)


async def test_a_repeated_webhook_changes_nothing(
    database: Database, merchant: Merchant, jobs: procrastinate.App
) -> None:
    async with jobs.open_async():
        results = await asyncio.gather(*(accept(database, jobs, inbound(1)) for _ in range(8)))
    assert sorted(results) == [False] * 7 + [True]
    assert await counted(database) == (1, 1)


async def test_a_number_finds_its_customer_on_both_phone_channels(
    database: Database, merchant: Merchant, customer: Customer, jobs: procrastinate.App
) -> None:
    async with database.operator() as session:
        session.add(
            ContactPoint(
                merchant_id=merchant.id,
                customer_id=customer.id,
                channel="whatsapp",
                address="+4915735998881",
                source="merchant_import",
                created_at=NOW,
            )
        )
    async with jobs.open_async():
        await accept(database, jobs, inbound(1))
        await accept(database, jobs, inbound(2, sender="+4915735998882"))
    async with database.operator() as session:
        found = await session.execute(select(Conversation.address, Conversation.customer_id))
        assert dict(found.all()) == {  # type: ignore[arg-type]
            "+4915735998881": customer.id,
            "+4915735998882": None,
        }


async def test_card_numbers_and_nul_bytes_are_never_stored(
    database: Database, merchant: Merchant, jobs: procrastinate.App
) -> None:
    async with jobs.open_async():
        await accept(database, jobs, inbound(1, body="meine Karte 4111 1111 1111 1111\x00 ok?"))
    async with database.operator() as session:
        message = (await session.scalars(select(Message))).one()
    assert message.text == "meine Karte **** 1111 ok?"
    assert "4111" not in str(message.raw)
    assert message.args["card_masked"] is True


CARD = "4111\u200b1111 １１１１ 1111"
IBAN = "DE89 3704 0044\u00a00532 0130 00"


@pytest.mark.parametrize("kind", [InboundKind.MESSAGE, InboundKind.EDIT, InboundKind.BUTTON])
async def test_no_number_of_a_card_or_an_account_is_kept_anywhere(
    database: Database, merchant: Merchant, jobs: procrastinate.App, kind: InboundKind
) -> None:
    both = f"{CARD}, {IBAN}"
    message = replace(
        inbound(1, body=f"Von {both}"),
        kind=kind,
        raw={"Body": both, "message": {"caption": both, "parts": [{"text": both}]}},
        button=both,
        start_token="4111111111111111",
        attachments=(
            Attachment(
                AttachmentKind.DOCUMENT,
                reference="a-file",
                file_name=f"{both}.pdf",
                details={"phone_number": CARD},
            ),
        ),
    )
    async with jobs.open_async():
        await accept(database, jobs, message)
    async with database.operator() as session:
        rows = [
            row._asdict()
            for table in (Message, Conversation)
            for row in await session.execute(select(table.__table__))
        ]
        waiting = (await session.execute(text("SELECT args FROM procrastinate_jobs"))).all()
    stored = re.sub(r"\D", "", unicodedata.normalize("NFKC", str([rows, waiting])))
    assert "41111111" not in stored
    assert "37040044" not in stored
    assert rows[0]["text"] == "Von **** 1111, DExxxxxxxxxxxxxxxx3000"
    assert rows[0]["args"]["card_masked"] is True


async def test_an_iban_alone_is_no_card(
    database: Database, merchant: Merchant, jobs: procrastinate.App
) -> None:
    async with jobs.open_async():
        await accept(database, jobs, inbound(1, body=f"Erstattung bitte auf {IBAN}"))
    async with database.operator() as session:
        message = (await session.scalars(select(Message))).one()
    assert message.text == "Erstattung bitte auf DExxxxxxxxxxxxxxxx3000"
    assert "card_masked" not in message.args


async def test_an_address_that_is_not_ours_is_refused(
    database: Database, jobs: procrastinate.App
) -> None:
    with pytest.raises(inbox.UnknownAccount):
        await accept(database, jobs, inbound(1))


async def test_a_job_from_elsewhere_at_the_same_moment_loses_no_message(
    database: Database, merchant: Merchant, jobs: procrastinate.App
) -> None:
    """A retry for later is deferred without the conversation's lock."""
    dsn = libpq_dsn(database.urls.operator)
    async with jobs.open_async(), await psycopg.AsyncConnection.connect(dsn) as elsewhere:
        assert await accept(database, jobs, inbound(1))
        async with database.operator() as session:
            conversation_id = await session.scalar(select(Conversation.id)) or 0
            await session.execute(text("DELETE FROM procrastinate_jobs"))
        same = jobs.configure_task(
            "kulanz:turn",
            lock=f"conversation:{conversation_id}",
            queueing_lock=f"turn:{conversation_id}",
            connection=elsewhere,
        )
        await same.defer_async(merchant_id=merchant.id, conversation_id=conversation_id)
        overtaken = asyncio.create_task(accept(database, jobs, inbound(2)))
        await asyncio.sleep(0.2)  # it has looked, and waits for the other transaction's end
        assert not overtaken.done()
        await elsewhere.commit()
        with pytest.raises(Overtaken):
            await overtaken
        assert await accept(database, jobs, inbound(2))
    assert await counted(database) == (2, 1)
