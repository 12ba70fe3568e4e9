"""The chat on the customer's page: what they write, and the answers, with and without script.

Without script a message is a form like any other, and the page is loaded again. The script sends
the same form, asks for what is newer than the last message that it shows, and asks again after a
line that broke: nothing is lost by it, and nothing shown twice.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import JSONResponse
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from api.pages.pay import sessions
from api.pages.pay.entry import ask_code
from api.pages.pay.visit import HOME, NotVisiting, Visit, go, pages, texts, visiting
from api.queue import Overtaken, defer_turn
from conversation import page_chat
from conversation.look import lock
from conversation.page_chat import Written
from conversation.page_visit import WORDS_MAX
from storage.tables import Conversation, Message

router = APIRouter(prefix=HOME, include_in_schema=False)
HERE = f"{HOME}#chat"
BIGGEST = 2**63 - 1
_NONCE = re.compile(r"[\w-]{16,64}", re.ASCII)
_INVISIBLE = re.compile("[\\s\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]+")
Text = Annotated[str, Form(max_length=200)]
Words = Annotated[str, Form(max_length=20 * WORDS_MAX)]
"""Far more than a message may have: what is too long is told, and nothing of it is lost."""


@dataclass(frozen=True)
class Chat:
    """What the chat shows: its messages, and what becomes of the newest."""

    messages: Sequence[Message]
    state: str
    """``""``, ``waits`` for the assistant, ``person`` is asked for, or ``agent`` is there."""
    nonce: str
    after: int = 0
    """The newest message that is shown already."""
    problem: str = ""
    """Why a message was not sent: ``long``, ``fast``, ``form``."""
    words: str = ""
    """What was typed and not sent."""

    @property
    def newer(self) -> Sequence[Message]:
        return [one for one in self.messages if one.id > self.after]

    @property
    def last(self) -> int:
        return self.messages[-1].id if self.messages else 0

    @property
    def asked(self) -> int:
        """The message whose buttons may be pressed: the newest of all, if it is ours."""
        newest = self.messages[-1] if self.messages else None
        return newest.id if newest is not None and newest.direction == "out" else 0


async def shown(here: Visit, *, after: int = 0, problem: str = "", words: str = "") -> Chat:
    """The exchange on the visitor's page, of which the messages up to `after` are shown already."""
    messages = await page_chat.exchange(here.session, here.customer.id, here.now)
    held = await here.session.get_one(Conversation, here.visitor.conversation_id)
    state = {"waiting": "person", "agent": "agent"}.get(held.state, "")
    waits = any(one.direction == "in" and one.handled_at is None for one in messages)
    nonce = sessions.new_token()
    return Chat(messages, "waits" if waits else state, nonce, after, problem, words)


@router.post("/chat")
@retry(retry=retry_if_exception_type(Overtaken), stop=stop_after_attempt(3), reraise=True)
async def write(
    request: Request,
    words: Words = "",
    button: Text = "",
    nonce: Text = "",
    after: Annotated[int, Form(ge=0, le=BIGGEST)] = 0,
    script: bool = Form(False),
    csrf: Text = "",
) -> Response:
    """Take what was written or pressed, once, however often the form is sent."""
    try:
        async with visiting(request, csrf=csrf) as here:
            problem = await _written(here, words.replace("\r\n", "\n"), button, nonce)
            if script:
                return _news(here, await shown(here, after=after, problem=problem))
            if not problem:
                return go(HERE)
            facts = {"chat": await shown(here, problem=problem, words=words)}
            return here.respond("chat.html", facts, _STATUS[problem])
    except NotVisiting:
        return _over() if script else ask_code(request, "", status=403)


@router.get("/chat")
async def news(
    request: Request,
    after: Annotated[int, Query(ge=0, le=BIGGEST)] = 0,
    script: bool = False,
    lang: str = "",
) -> Response:
    """What is newer than a message; for a browser without script the whole page."""
    if not script:
        return go(HERE)
    try:
        # Nobody has clicked for it: a visit ends also while its page lies open.
        async with visiting(request, lang=lang, noted=False) as here:
            return _news(here, await shown(here, after=after))
    except NotVisiting:
        return _over()


_STATUS = {"long": 422, "form": 422, "fast": 429}


async def _written(here: Visit, words: str, button: str, nonce: str) -> str:
    """Put it into the inbox with its job; what is wrong with it, if anything is."""
    if len(words) > WORDS_MAX:
        return "long"
    if not _NONCE.fullmatch(nonce):
        return "form"
    text = words.strip() if _INVISIBLE.sub("", words) else ""
    if button:
        text = await page_chat.pressed(here.session, here.customer.id, button) or ""
    if not text:
        return ""
    if not await here.parts.limits.may_write(here.visitor.token_hash):
        return "fast"
    conversation = await lock(here.session, here.visitor.conversation_id)
    written = Written(text, nonce, button or None)
    if await page_chat.write(here.session, conversation, here.customer.id, written, here.now):
        await defer_turn(here.jobs, here.session, here.merchant.id, conversation.id)
        here.after.append(conversation.id)
    return ""


def _news(here: Visit, chat: Chat) -> Response:
    """The chat as its script takes it: rendered here, so that texts are escaped in one place."""
    t = texts(here.language, here.form)
    facts: Mapping[str, Any] = {
        "t": t,
        "chat": chat,
        "csrf": here.visitor.csrf,
        "shop": here.merchant.name,
        "moment": here.moment,
    }
    told = {
        "items": pages.part("chat_items.html", facts, language=here.language),
        "last": chat.last,
        "waits": chat.state == "waits",
        "state": t.chat_states[chat.state] if chat.state else "",
        "problem": t.chat_problems[chat.problem] if chat.problem else "",
        "nonce": chat.nonce,
    }
    return JSONResponse(told, headers=_PRIVATE)


def _over() -> Response:
    return JSONResponse({"over": True}, 403, headers=_PRIVATE)


_PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
