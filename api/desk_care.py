"""What waits for a team that shares its work in turn is given to whoever is next."""

from datetime import datetime

import structlog
from sqlalchemy import exists, func, or_, select

from api.people.roles import ROLES_AT_DESK
from conversation.desk_seats import give_in_turn
from conversation.handoff_held import HandoffError
from storage.engine import Database
from storage.tables import DeskTeam, Handoff, Message

log = structlog.get_logger()

LOOK_MAX = 50
"""So many of each team at once: a team that has no room keeps no other one waiting."""


async def give_out(database: Database, now: datetime) -> list[tuple[int, int]]:
    """Give out what nobody has, a transaction each, a crisis first, then the oldest.

    Returns merchant and conversation of what was given. Only teams that share their work in turn;
    what nobody has room for waits.
    """
    written_since = exists().where(
        Message.conversation_id == Handoff.conversation_id,
        Message.direction == "in",
        Message.created_at > Handoff.snoozed_at,
    )
    first = (Handoff.reason != "crisis", Handoff.requested_at, Handoff.id)
    waiting = (
        select(
            *(Handoff.merchant_id, Handoff.conversation_id, Handoff.id, Handoff.team_id),
            func.row_number().over(order_by=first).label("place"),
            func.row_number().over(partition_by=Handoff.team_id, order_by=first).label("of_team"),
        )
        .join(DeskTeam, DeskTeam.id == Handoff.team_id)
        .where(
            Handoff.closed_at.is_(None),
            Handoff.taken_by.is_(None),
            DeskTeam.in_turn,
            or_(  # what is put aside is nobody's turn yet
                Handoff.snoozed_at.is_(None), Handoff.snoozed_until <= now, written_since
            ),
        )
        .subquery()
    )
    wanted = select(*list(waiting.c)[:4]).where(waiting.c.of_team <= LOOK_MAX)
    async with database.operator() as session:
        found = (await session.execute(wanted.order_by(waiting.c.place))).all()
    given, full = [], set()
    for merchant_id, conversation_id, handoff_id, team_id in found:
        if team_id in full:
            continue
        async with database.conversation(merchant_id, conversation_id) as session:
            try:
                name = await give_in_turn(session, handoff_id, ROLES_AT_DESK, now)
            except HandoffError:  # ended meanwhile
                continue
        if name is None:
            full.add(team_id)
            continue
        log.info("handoff_given", handoff=handoff_id)
        given.append((merchant_id, conversation_id))
    return given
