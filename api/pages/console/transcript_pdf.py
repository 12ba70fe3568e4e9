"""A conversation as a PDF, set by Typst, tagged for screen readers (PDF/UA-1)."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

from api.pages.brand import light_colours
from api.pages.console.view import line_view, moment, texts
from api.pages.typeset import typeset
from api.people.sessions import SignedIn
from conversation.redaction import Redaction, cover_address
from conversation.transcript import Transcript

_DOCUMENT = Path(__file__).with_name("transcript.typ")


async def transcript_pdf(
    read: Transcript, person: SignedIn, language: str, now: datetime, *, covered: bool
) -> bytes:
    """The conversation; set in a thread, since that takes a while."""
    data = _data(read, person, language, now, covered=covered)
    return await asyncio.to_thread(typeset, _DOCUMENT, data, now.date())


def _data(
    read: Transcript, person: SignedIn, language: str, now: datetime, *, covered: bool
) -> dict[str, Any]:
    words, held, customer = texts(language), read.conversation, read.customer
    redaction = Redaction(read.known, words["covered"]) if covered else None
    number = customer.number if customer else words["unknown_customer"]
    name = " ".join(filter(None, (customer.first_name, customer.name))) if customer else ""
    address = cover_address(held.address) if covered else held.address
    facts = [
        (words["customer"], number),
        *([(words["name"], name)] if name and not covered else []),
        (words["channel"], words["channels"].get(held.channel, held.channel)),
        (words["address"], address),
        (words["state"], words["states"].get(held.state, held.state)),
    ]
    note = words["pdf_covered"] if covered else words["pdf_open"]
    return {
        "language": language,
        "title": f"{words['conversation']} {number}",
        "sender": person.merchant_name,
        "made": words["pdf_made"].format(
            at=moment(now, language, person.zone), person=person.operator
        ),
        "note": f"{note} {words['pdf_rest']}" if read.earlier else note,
        "page": words["pdf_page"],
        "facts": facts,
        "colours": light_colours(""),
        "lines": [
            _line(line_view(line, language, person.zone, redaction), words) for line in read.lines
        ],
    }


def _line(line: dict[str, Any], words: dict[str, Any]) -> dict[str, Any]:
    effects = [
        " ".join(
            filter(None, (one["words"], one["amount"], f"({one['facts']})" * bool(one["facts"])))
        )
        for one in line["effects"]
    ]
    if not line["message"]:
        return {"at": line["at"], "who": "", "ours": False, "text": "", "notes": effects}
    understood, notes = line["understood"], []
    if line["wording"]:
        told = (line["wording"], line["variant"], line["tone"])
        notes.append(f"{words['wording']}: {' · '.join(filter(None, told))}")
    if line["why"]:
        notes.append(f"{words['why']}: {line['why']}")
    if understood:
        notes.append(
            f"{words['understood']}: {understood['intent']} {understood['confidence']}".strip()
        )
    return {
        "at": line["at"],
        "who": f"{line['author_words']} {line['agent']}".strip(),
        "ours": line["author"] != "customer",
        "text": line["text"],
        "notes": [*notes, *effects],
    }
