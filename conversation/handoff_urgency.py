"""How soon a person is needed, by the reason that asks for one. Pure."""

from enum import StrEnum

URGENT_REASONS = frozenset({"hardship", "bereavement", "minor"})


class Urgency(StrEnum):
    """How soon a person is needed; the first goes first."""

    CRISIS = "crisis"
    URGENT = "urgent"
    NORMAL = "normal"

    @classmethod
    def of(cls, reason: str) -> "Urgency":
        """The urgency of a reason."""
        if reason == "crisis":
            return cls.CRISIS
        return cls.URGENT if reason in URGENT_REASONS else cls.NORMAL

    @property
    def rank(self) -> int:
        """0 for what goes first."""
        return list(Urgency).index(self)


def known_as(reason: str) -> str:
    """A reason as people at the desk know it: ``decision`` stands for all of ``decision_…``."""
    return "decision" if reason.startswith("decision_") else reason
