"""Teams of a merchant: who is in them, and which handoffs go to which."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from conversation.handoff_urgency import known_as
from storage.statement import Statement
from storage.tables import Conversation, Customer, DeskTeam, DeskTeamMember

NAME_CHARACTERS_MAX = 60
_TEAMS_OF = Statement(
    select(DeskTeamMember.team_id).where(
        DeskTeamMember.person_id == bindparam("person_id", type_=BigInteger)
    )
)


@dataclass(frozen=True, slots=True)
class Takes:
    """What a team takes; nothing named means any."""

    id: int
    reasons: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()

    def fits(self, reason: str, language: str | None) -> bool:
        """Whether a handoff is of theirs."""
        of_reason = not self.reasons or known_as(reason) in self.reasons
        return of_reason and (not self.languages or language in self.languages)


def team_for(teams: Iterable[Takes], reason: str, language: str | None) -> int | None:
    """The team that a handoff goes to: whoever names most of it.

    A team that names the reason goes before one that names the language only, and both before one
    that takes anything; of equals the older team.
    """
    fitting = [team for team in teams if team.fits(reason, language)]
    chosen = min(
        fitting, key=lambda one: (not one.reasons, not one.languages, one.id), default=None
    )
    return chosen.id if chosen is not None else None


async def team_of(session: AsyncSession, conversation: Conversation, reason: str) -> int | None:
    """The team that this conversation goes to for this reason; None where no team takes it."""
    teams = await all_teams(session, conversation.merchant_id)
    if not teams:
        return None
    language = conversation.language
    if language is None and conversation.customer_id is not None:
        language = await session.scalar(
            select(Customer.language).where(Customer.id == conversation.customer_id)
        )
    takes = (Takes(one.id, frozenset(one.reasons), frozenset(one.languages)) for one in teams)
    return team_for(takes, reason, language)


async def all_teams(session: AsyncSession, merchant_id: int) -> Sequence[DeskTeam]:
    """All teams of a merchant, by name."""
    found = await session.scalars(
        select(DeskTeam).where(DeskTeam.merchant_id == merchant_id).order_by(DeskTeam.name)
    )
    return found.all()


async def members(session: AsyncSession, merchant_id: int) -> dict[int, list[int]]:
    """Who is in which team, by account."""
    rows = await session.execute(
        select(DeskTeamMember.team_id, DeskTeamMember.person_id)
        .where(DeskTeamMember.merchant_id == merchant_id)
        .order_by(DeskTeamMember.team_id, DeskTeamMember.person_id)
    )
    found: dict[int, list[int]] = {}
    for team_id, person_id in rows:
        found.setdefault(team_id, []).append(person_id)
    return found


async def teams_of(session: AsyncSession, person_id: int) -> frozenset[int]:
    """The teams that a person is in."""
    return frozenset(one.team_id for one in await _TEAMS_OF.run(session, person_id=person_id))


async def set_members(session: AsyncSession, team: DeskTeam, person_ids: Iterable[int]) -> None:
    """Have exactly these people in a team; the caller knows that they are the merchant's."""
    await session.execute(delete(DeskTeamMember).where(DeskTeamMember.team_id == team.id))
    session.add_all(
        DeskTeamMember(merchant_id=team.merchant_id, team_id=team.id, person_id=one)
        for one in sorted(set(person_ids))
    )
