"""Correcting how a customer is reached: an address that is wrong, a number that has changed."""

from fastapi import Request, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.pages.console.claim_step import Adjuster, Line, Refused, known
from api.pages.console.conversations import Id
from api.pages.console.customers import REASONS, Problem, show
from api.pages.console.page import console_router, go, notice, parts_of
from api.people import audit
from api.people.sessions import SignedIn
from conversation.addresses import drop_address, replace_phone
from ledger.contact import NotAPhoneNumber, phone_number
from storage.tables import ContactPoint, Customer

router = console_router()


@router.post("/customers/{customer}/points/{point}/drop")
async def drop(
    request: Request, person: Adjuster, customer: Id, point: Id, reason: Line = ""
) -> Response:
    """This address is not the customer's: nothing goes there any more, and no proof holds there."""
    now = parts_of(request).clock.now()
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        address = await session.scalar(
            select(ContactPoint.address).where(
                ContactPoint.id == point, ContactPoint.customer_id == customer
            )
        )
        if address is None:
            return notice(request, "nothing", 404, {"person": person})
        if reason in REASONS["drop"]:
            await drop_address(session, customer, address, reason, now)
            _note(request, session, person, "address_removed", customer, reason=reason)
            return go(request, f"/console/customers/{customer}", done="dropped")
    return await show(request, person, customer, problem=Problem(point, "drop", "reason", {}))


@router.post("/customers/{customer}/phone")
async def phone(
    request: Request, person: Adjuster, customer: Id, number: Line = "", reason: Line = ""
) -> Response:
    """Another number from now on; the ones that the merchant had named before are dropped."""
    now = parts_of(request).clock.now()
    try:
        known(reason, REASONS["phone"])
        read = phone_number(number.strip())
    except (Refused, NotAPhoneNumber) as refused:
        code = str(refused) if isinstance(refused, Refused) else "phone"
        given = {"number": number, "reason": reason}
        return await show(request, person, customer, problem=Problem(0, "phone", code, given))
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        if await session.get(Customer, customer) is None:
            return notice(request, "nothing", 404, {"person": person})
        await replace_phone(session, customer, read, now)
        _note(request, session, person, "number_changed", customer, reason=reason)
    return go(request, f"/console/customers/{customer}", done="phone")


def _note(
    request: Request,
    session: AsyncSession,
    person: SignedIn,
    kind: str,
    customer: int,
    *,
    reason: str,
) -> None:
    audit.note(
        session, person, kind, parts_of(request).clock.now(),
        merchant_id=person.merchant_id, customer_id=customer, reason=reason,
    )  # fmt: skip
