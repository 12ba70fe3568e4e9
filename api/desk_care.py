"""What waits for a team that shares its work in turn is given to whoever is next."""

from datetime import datetime

import structlog
from sqlalchemy import exists, or_, select

from api.people.roles import ROLES_AT_DESK
from conversation.desk_seats import give_in_turn
from conversation.handoff_held import HandoffError
from storage.engine import Database
from storage.tables import DeskTeam, Handoff, Message

log = structlog.get_logger()

LOOK_MAX = 200


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
    async with database.operator() as session:
        found = (
            await session.execute(
                select(Handoff.merchant_id, Handoff.conversation_id, Handoff.id, Handoff.team_id)
                .join(DeskTeam, DeskTeam.id == Handoff.team_id)
                .where(
                    Handoff.closed_at.is_(None),
                    Handoff.taken_by.is_(None),
                    DeskTeam.in_turn,
                    or_(  # what is put aside is nobody's turn yet
                        Handoff.snoozed_at.is_(None), Handoff.snoozed_until <= now, written_since
                    ),
                )
                .order_by(Handoff.reason != "crisis", Handoff.requested_at, Handoff.id)
                .limit(LOOK_MAX)
            )
        ).all()
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
