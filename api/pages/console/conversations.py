"""``/console/conversations``: the transcripts of a merchant's conversations.

Read-only. Personal data is covered; uncovering it is a request of its own, and lasts for the page
that answers it. Who read and who uncovered goes into the audit.
"""

from typing import Annotated

from fastapi import Depends, Path, Query, Request, Response

from api.pages.console.page import console_router, language_of, notice, parts_of, query, respond
from api.pages.console.view import line_view, listed_view, texts
from api.people import audit
from api.people.access import Needs
from api.people.roles import Permission
from api.people.sessions import SignedIn
from conversation import transcript
from conversation.redaction import Redaction, cover_address

router = console_router()

STATES = ("bot", "waiting", "agent", "closed")
CHANNELS = ("sms", "whatsapp", "telegram", "terminal")
BIGGEST = 2**63 - 1
Id = Annotated[int, Path(ge=1, le=BIGGEST)]
Before = Annotated[int | None, Query(ge=1, le=BIGGEST)]
Reader = Annotated[SignedIn, Depends(Needs(Permission.READ))]
Revealer = Annotated[SignedIn, Depends(Needs(Permission.REVEAL))]


@router.get("/conversations")
async def conversations(
    request: Request,
    person: Reader,
    before: Before = None,
    state: str = "",
    channel: str = "",
    lang: str = "",
) -> Response:
    """All conversations, the one that was written in last first."""
    state, channel = _one_of(state, STATES), _one_of(channel, CHANNELS)
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        rows, after = await transcript.listed(
            session,
            person.merchant_id,
            before=before,
            state=state or None,
            channel=channel or None,
        )
    language = language_of(request)
    kept = {"state": state, "channel": channel, "lang": lang}
    facts = {
        "person": person,
        "rows": [listed_view(row, language, person.zone) for row in rows],
        "chosen": kept,
        "states": STATES,
        "channels": CHANNELS,
        "older": query(**kept, before=after) if after else "",
        "newest": query(**kept) or "?" if before else "",
    }
    return respond(request, "conversations.html", facts)


@router.get("/conversations/{conversation}")
async def conversation(
    request: Request, person: Reader, conversation: Id, before: Before = None, lang: str = ""
) -> Response:
    """One transcript, personal data covered."""
    return await _transcript(request, person, conversation, before, lang, covered=True)


@router.post("/conversations/{conversation}/reveal")
async def reveal(
    request: Request, person: Revealer, conversation: Id, before: Before = None, lang: str = ""
) -> Response:
    """The same transcript uncovered, for this one answer."""
    return await _transcript(request, person, conversation, before, lang, covered=False)


async def _transcript(
    request: Request,
    person: SignedIn,
    conversation: int,
    before: int | None,
    lang: str,
    *,
    covered: bool,
) -> Response:
    parts, language = parts_of(request), language_of(request)
    async with parts.database.merchant(person.merchant_id) as session:
        read = await transcript.read(session, person.merchant_id, conversation, before=before)
        if read is None:
            return notice(request, "nothing", 404)
        audit.note(
            session,
            person,
            "transcript_seen" if covered else "transcript_revealed",
            parts.clock.now(),
            merchant_id=person.merchant_id,
            customer_id=read.conversation.customer_id,
            conversation_id=conversation,
        )
    redaction = Redaction(read.known, texts(language)["covered"]) if covered else None
    held, customer = read.conversation, read.customer
    name = " ".join(filter(None, (customer.first_name, customer.name))) if customer else ""
    facts = {
        "person": person,
        "covered": covered,
        "may_reveal": person.may(Permission.REVEAL),
        "may_take": person.may(Permission.HANDOFFS),
        "held": held,
        "number": customer.number if customer else "",
        "name": "" if covered else name,
        "address": cover_address(held.address) if covered else held.address,
        "lines": [line_view(line, language, person.zone, redaction) for line in read.lines],
        "here": f"/console/conversations/{conversation}",
        "query": query(lang=lang, before=before),
        "earlier": query(lang=lang, before=read.earlier) if read.earlier else "",
        "latest": (query(lang=lang) or "?") if before else "",
    }
    return respond(request, "transcript.html", facts)


def _one_of(given: str, known: tuple[str, ...]) -> str:
    return given if given in known else ""
