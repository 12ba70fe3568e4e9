"""``/console/conversations/…``: one conversation as the customer saw it, and what lies behind it.

Personal data is covered; uncovering it is a request of its own, and lasts for the page that
answers it. Who read and who uncovered goes into the audit.
"""

from typing import Any

from fastapi import Request, Response

from api.pages.console.conversations import Before, Id, Reader, Revealer
from api.pages.console.marking import Marking
from api.pages.console.page import console_router, language_of, notice, parts_of, query, respond
from api.pages.console.view import line_view, moment, texts
from api.people import audit
from api.people.roles import Permission
from api.people.sessions import SignedIn
from conversation import corrections, review, transcript
from conversation.redaction import Redaction, cover_address
from conversation.sought import Sought, sought
from storage.tables import TranscriptComment

router = console_router()

NOTED = ("rated", "flagged", "unflagged")


@router.get("/conversations/{conversation}")
async def conversation(
    request: Request,
    person: Reader,
    conversation: Id,
    before: Before = None,
    at: Before = None,
    q: str = "",
    done: str = "",
) -> Response:
    """A page of a transcript, personal data covered; `at` shows the page with that message."""
    return await _transcript(
        request, person, conversation, (before, at), q, covered=True, done=done
    )


@router.post("/conversations/{conversation}/reveal")
async def reveal(
    request: Request,
    person: Revealer,
    conversation: Id,
    before: Before = None,
    at: Before = None,
    q: str = "",
) -> Response:
    """The same page uncovered, for this one answer."""
    return await _transcript(request, person, conversation, (before, at), q, covered=False)


async def _transcript(
    request: Request,
    person: SignedIn,
    conversation: int,
    place: tuple[int | None, int | None],
    words: str,
    *,
    covered: bool,
    done: str = "",
) -> Response:
    parts, language = parts_of(request), language_of(request)
    before, at = place
    async with parts.database.merchant(person.merchant_id) as session:
        if at is not None and before is None:
            before = await transcript.page_with(session, conversation, at)
        read = await transcript.read(session, person.merchant_id, conversation, before=before)
        if read is None:
            return notice(request, "nothing", 404, {"person": person})
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
        lines = [
            line_view(line, language, person.zone, redaction, opens=person.may(Permission.REVEAL))
            for line in read.lines
        ]
        looked_for = await sought(session, words) if words.strip() else Sought()
        said = [line["text"] for line in lines if line["message"]]
        marking = await Marking.of(session, said, looked_for)
        ids = [line["message"] for line in lines if line["message"]]
        noted = await review.noted_of(session, conversation)
        comments = await review.comments_of(session, ids) if noted.remarked else {}
        corrected = await corrections.of_messages(session, ids)
    for line in lines:
        if line["message"]:
            line["marked"] = marking.marked(line["text"])
            line["comments"] = [
                comment_view(one, language, person, redaction)
                for one in comments.get(line["message"], ())
            ]
            line["correction"] = corrected.get(line["message"])
    held, customer = read.conversation, read.customer
    name = " ".join(filter(None, (customer.first_name, customer.name))) if customer else ""
    lang = request.query_params.get("lang", "")
    here = f"/console/conversations/{conversation}"
    facts = {
        "person": person,
        "covered": covered,
        "may_reveal": person.may(Permission.REVEAL),
        "may_take": person.may(Permission.HANDOFFS),
        "may_annotate": person.may(Permission.ANNOTATE),
        "may_export": person.may(Permission.EXPORT),
        "held": held,
        "number": customer.number if customer else "",
        "customer": held.customer_id,
        "name": "" if covered else name,
        "address": cover_address(held.address) if covered else held.address,
        "lines": lines,
        "here": here,
        "q": words,
        "query": query(q=words, lang=lang, before=before),
        "earlier": query(q=words, lang=lang, before=read.earlier) if read.earlier else "",
        "latest": (query(q=words, lang=lang) or "?") if before else "",
        "rating": noted.rating,
        "flagged": noted.flagged,
        "ratings": review.RATINGS,
        "done": done if done in NOTED else "",
    }
    return respond(request, "transcript.html", facts)


def comment_view(
    comment: TranscriptComment,
    language: str,
    person: SignedIn,
    redaction: Redaction | None,
) -> dict[str, Any]:
    """A remark; reviewers may have written down what they saw uncovered."""
    return {
        "person": comment.person,
        "at": moment(comment.at, language, person.zone),
        "iso": comment.at.isoformat(),
        "text": redaction.cover(comment.text) if redaction is not None else comment.text,
    }
