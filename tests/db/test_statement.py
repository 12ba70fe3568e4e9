"""Statements that run past SQLAlchemy behave as those that do not."""

import pytest
from sqlalchemy import BigInteger, Enum, bindparam, literal, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError

from storage.engine import Database
from storage.statement import Statement
from storage.tables import Customer, Merchant, Message
from tests.conftest import NOW


def test_what_the_driver_cannot_do_alone_is_refused() -> None:
    with pytest.raises(TypeError, match="ANY"):
        Statement(select(Message.id).where(Message.status.in_(["queued", "sending"])))
    with pytest.raises(TypeError, match="reads it"):
        Statement(select(literal("a").cast(Enum("a", "b", name="letter")).label("letter")))


async def test_what_the_session_has_not_written_yet_is_seen(
    database: Database, merchant: Merchant
) -> None:
    numbers = Statement(
        select(Customer.number).where(
            Customer.merchant_id == bindparam("merchant_id", type_=BigInteger)
        )
    )
    async with database.merchant(merchant.id) as session:
        before = {row.number for row in await numbers.run(session, merchant_id=merchant.id)}
        session.add(
            Customer(
                merchant_id=merchant.id,
                number="K-77001",
                name="Winkler",
                created_at=NOW,
                updated_at=NOW,
            )
        )
        after = {row.number for row in await numbers.run(session, merchant_id=merchant.id)}
    assert after - before == {"K-77001"}


async def test_json_goes_in_and_comes_out(database: Database) -> None:
    same = Statement(text("SELECT :given AS given").bindparams(bindparam("given", type_=JSONB)))
    given = {"text": "50 % Rabatt: ja?", "list": [1, None]}
    async with database.operator() as session:
        ((back,),) = await same.run(session, given=given)
    assert back == given


async def test_a_failed_statement_raises_what_sqlalchemy_raises(
    database: Database,
) -> None:
    inverse = Statement(
        text("SELECT 1 / :number AS inverse").bindparams(bindparam("number", type_=BigInteger))
    )
    with pytest.raises(DBAPIError) as failed:
        async with database.operator() as session:
            await inverse.run(session, number=0)
    assert not failed.value.connection_invalidated
