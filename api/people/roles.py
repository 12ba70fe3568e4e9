"""Who may do what, as data: roles of people, and scopes of API keys.

Each route names the one permission that it needs; nothing else decides about access.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Permission(StrEnum):
    """One thing that somebody may do; those of :data:`SCOPES` are for API keys as well."""

    READ = "read"
    """See claims, conversations and events; on pages with personal data covered."""
    CLAIMS = "claims:write"
    """Hand over claims and open items, and make and end links to customers' pages."""
    PAYMENTS = "payments"
    """Hand over bank statements, and decide about what they hold."""
    HANDOFFS = "handoffs"
    """Read and work on what waits for a person."""
    EVENTS = "events"
    """Have events posted again."""
    REVEAL = "reveal"
    """See personal data uncovered; each time stands in the audit."""
    ADJUST = "adjust"
    """Decide about claims and the ways to customers; each time with a reason."""
    ANNOTATE = "annotate"
    """Write remarks beside a transcript, rate it, and say what a message should be taken for."""
    EXPORT = "export"
    """Take transcripts and what was learned from them out as files."""
    SUPERVISE = "supervise"
    """See the whole desk at work, give what somebody has to others, and set up teams."""
    SETTINGS = "settings"
    """Change what a merchant allows, says and looks like, and what its systems are let in with."""
    PEOPLE = "people"
    """Invite people, give them roles, and keep them out."""
    AUDIT = "audit"
    """Read who saw and changed what."""
    MERCHANTS = "merchants"
    """Go from one merchant to another."""


class Role(StrEnum):
    """What somebody is at the merchant; an operator works for all merchants."""

    OWNER = "owner"
    SUPERVISOR = "supervisor"
    AGENT = "agent"
    REVIEWER = "reviewer"
    ANALYST = "analyst"
    OPERATOR = "operator"


_OF_MERCHANT: Final = frozenset(Permission) - {Permission.MERCHANTS}
_OF_AGENT: Final = frozenset({Permission.READ, Permission.REVEAL, Permission.HANDOFFS})

PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.OWNER: _OF_MERCHANT,
    Role.SUPERVISOR: _OF_AGENT
    | {Permission.ADJUST, Permission.ANNOTATE, Permission.EXPORT, Permission.SUPERVISE},
    Role.AGENT: _OF_AGENT,
    Role.REVIEWER: frozenset({Permission.READ, Permission.ANNOTATE}),
    Role.ANALYST: frozenset({Permission.READ}),
    Role.OPERATOR: _OF_MERCHANT | {Permission.MERCHANTS},
}

ROLES_AT_DESK: Final = frozenset(
    role for role, given in PERMISSIONS.items() if Permission.HANDOFFS in given
)
"""Who may be given what waits for a person."""

ROLES_OF_MERCHANT: Final = tuple(role for role in Role if role is not Role.OPERATOR)
"""What a merchant's owner may give; operators are made on the command line only."""

SCOPES: Final = (
    Permission.READ,
    Permission.CLAIMS,
    Permission.PAYMENTS,
    Permission.HANDOFFS,
    Permission.EVENTS,
)
"""What an API key may be allowed."""
