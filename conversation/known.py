"""What is known of customers and is to be covered where others read: their data and addresses."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from conversation.redaction import Known
from storage.tables import ContactPoint, Customer, Merchant


async def known_of(session: AsyncSession, customer: Customer, *addresses: str) -> Known:
    """What is to be covered of a customer, besides these addresses."""
    held = {customer.id: (customer.id, addresses)}
    return (await known_of_each(session, customer.merchant_id, held))[customer.id]


async def known_of_each(
    session: AsyncSession,
    merchant_id: int,
    held: Mapping[int, tuple[int | None, tuple[str, ...]]],
) -> dict[int, Known]:
    """What is to be covered in each of some conversations: their customer's data, and addresses."""
    ids = {customer for customer, _ in held.values() if customer is not None}
    merchant = await session.get_one(Merchant, merchant_id)
    customers: dict[int, Customer] = {}
    points: defaultdict[int, list[str]] = defaultdict(list)
    if ids:
        found = await session.scalars(select(Customer).where(Customer.id.in_(ids)))
        customers = {customer.id: customer for customer in found}
        of = (ContactPoint.customer_id, ContactPoint.address)
        for owner, address in await session.execute(
            select(*of).where(ContactPoint.customer_id.in_(ids))
        ):
            points[owner].append(address)
    known = {}
    for key, (customer_id, addresses) in held.items():
        customer = customers.get(customer_id) if customer_id is not None else None
        theirs = points[customer.id] if customer is not None else ()
        known[key] = known_from(customer, merchant, (*addresses, *theirs))
    return known


def known_from(customer: Customer | None, merchant: Any, addresses: Sequence[str]) -> Known:
    """The same from rows that are at hand, or from one that has the columns of both."""
    spared = (merchant.phone or "", merchant.email or "")  # the shop's own stays readable
    if customer is None:
        return Known(addresses=tuple(addresses), spared=spared)
    first, name = customer.first_name, customer.name
    return Known(
        names=(f"{first} {name}" if first else name, name, first or ""),
        birth_date=customer.birth_date,
        postal_code=customer.postal_code,
        addresses=tuple(addresses),
        spared=spared,
    )
