"""The demo's people: one of each role that matters at a desk, all invented, without passwords."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.people import accounts
from api.people.roles import Role

PEOPLE = (
    ("lea@lindenhof.example", "Lea Winter", Role.OWNER),
    ("jonas@lindenhof.example", "Jonas Brandt", Role.SUPERVISOR),
    ("mira@lindenhof.example", "Mira Koch", Role.AGENT),
    ("tom@lindenhof.example", "Tom Aydin", Role.REVIEWER),
)
"""One signs in as them with ``kulanz login --as ADDRESS``."""


async def add_people(session: AsyncSession, merchant_id: int, now: datetime) -> None:
    """Add who is not there yet."""
    for email, name, role in PEOPLE:
        if await accounts.by_email(session, merchant_id, email) is None:
            await accounts.add(session, merchant_id, (email, name, role), now)
