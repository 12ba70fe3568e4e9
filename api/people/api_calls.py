"""Calls of the merchants' REST API in the audit: who asked for what, before anything is done.

A line holds the key's name, the route, and whose data it was about, as numbers of rows; neither
the body nor the words of the address. It is written in the transaction that looks the key up, so
that nothing is shown or changed without it.
"""

from datetime import datetime
from typing import Final

from fastapi import Request
from fastapi.routing import APIRoute
from sqlalchemy import BigInteger, DateTime, Text, bindparam, insert, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from storage.statement import Statement
from storage.tables import ApiKey, AuditEvent, Claim, Customer, Handoff

KIND: Final = "api_call"

_merchant = bindparam("merchant_id", type_=BigInteger)
_NOTE: Final = Statement(
    insert(AuditEvent).from_select(
        ["merchant_id", "kind", "at", "person", "customer_id", "claim_id", "conversation_id",
         "facts"],
        select(
            _merchant,
            literal(KIND, Text),
            bindparam("at", type_=DateTime(timezone=True)),
            bindparam("person", type_=Text),
            select(Customer.id)
            .where(
                Customer.merchant_id == _merchant,
                Customer.number == bindparam("customer", type_=Text),
            )
            .scalar_subquery(),
            select(Claim.id)
            .where(
                Claim.merchant_id == _merchant,
                Claim.reference == bindparam("claim", type_=Text),
            )
            .scalar_subquery(),
            select(Handoff.conversation_id)
            .where(
                Handoff.merchant_id == _merchant,
                Handoff.id == bindparam("handoff", type_=BigInteger),
            )
            .scalar_subquery(),
            bindparam("facts", type_=JSONB),
        ),
    )
)  # fmt: skip


def name_of(key: ApiKey) -> str:
    """What a key is called in the audit: the name it was given, and how it begins."""
    return f"{key.name} ({key.prefix}…)" if key.name else f"{key.prefix}…"


async def note(session: AsyncSession, key: ApiKey, request: Request, now: datetime) -> None:
    """Keep that a key makes this call; ``session`` is the operator's."""
    given = request.path_params
    handoff = str(given.get("handoff", ""))
    await _NOTE.run(
        session,
        merchant_id=key.merchant_id,
        at=now,
        person=name_of(key),
        customer=given.get("number"),
        claim=given.get("claim_reference") or given.get("reference"),
        handoff=int(handoff) if handoff.isdecimal() and len(handoff) < 19 else None,
        facts={"call": f"{request.method} {route_of(request)}"},
    )


def route_of(request: Request) -> str:
    """The address without what it names: ``/api/v1/handoffs/{handoff}``."""
    route: APIRoute = request.scope["route"]
    return route.path_format
