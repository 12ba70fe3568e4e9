"""The desk over REST: what waits for a person, and what a person does with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Path, Query, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from api.callers import OF_KEY, ForHandoffs
from api.handoff_care import may_write_unasked
from api.handoff_views import HandoffDetail, HandoffRow, detail, row
from api.queue import defer_delivery
from api.wiring import Parts
from channels.payload import storable
from conversation import desk
from conversation.handoff_held import By, Outcome
from conversation.handoff_summary import open_handoffs, summary

LISTED_MAX = 500

router = APIRouter(prefix="/api/v1/handoffs", tags=["handoffs"])

HandoffId = Annotated[int, Path(ge=1, le=2**63 - 1, description="Number of the handoff.")]
Clean = BeforeValidator(lambda given: storable(given) if isinstance(given, str) else given)
Words = Annotated[str, Clean, Field(min_length=1, max_length=4000, pattern=r"\S")]


class AgentRequest(BaseModel):
    """Who acts."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    agent: Annotated[str, Clean] = Field(
        min_length=1,
        max_length=80,
        description="Name or number of the person at the desk, the same in every request.",
        examples=["m.koch"],
    )


class TakeRequest(AgentRequest):
    """Take a handoff."""

    instead_of: str | None = Field(
        default=None, description="The colleague who has it, to take it over from them."
    )


class ReplyRequest(AgentRequest):
    """Words for the customer."""

    text: Annotated[str, Clean] = Field(
        min_length=1, max_length=desk.REPLY_CHARACTERS_MAX, pattern=r"\S"
    )


class NoteRequest(AgentRequest):
    """Words for colleagues."""

    text: Words


class EndRequest(AgentRequest):
    """What only a person may lift, when they are done."""

    resume_contact: bool = Field(
        default=False, description="End a pause of contact (after hardship, crisis and the like)."
    )
    reopen_proof: bool = Field(
        default=False,
        description="Let the customer try again to prove who they are, after it was locked.",
    )


class ReturnRequest(EndRequest):
    """Give the conversation back to the automated assistant."""

    hint: Annotated[str, Clean] = Field(
        default="", max_length=4000, description="For colleagues, kept as a note."
    )
    facts: dict[
        Annotated[str, Field(pattern="^[a-z_]{1,40}$")],
        Annotated[str, Clean, Field(max_length=200)] | int | bool | None,
    ] = Field(
        default_factory=dict,
        max_length=10,
        description="What the assistant's next turn is told, codes and figures.",
        examples=[{"topic": "instalments", "instalments": 3}],
    )


class CloseRequest(EndRequest):
    """End a handoff."""

    outcome: Outcome


class Refusal(BaseModel):
    """A named fact that stands against the request, with what else is known about it."""

    error: str = Field(
        description="`HandoffTaken`, `HandoffNotTaken`, `HandoffClosed`, `AddressOptedOut`, "
        "`TemplateNeeded` or `ReplyKeyReused`.",
        examples=["HandoffTaken"],
    )
    detail: str
    taken_by: str | None = Field(default=None, description="With `HandoffTaken`: who has it.")
    outcome: str | None = Field(default=None, description="With `HandoffClosed`: how it ended.")


class Unknown(BaseModel):
    """There is no such handoff for this key's merchant."""

    error: Literal["HandoffUnknown"]
    detail: str


class HandoffList(BaseModel):
    """What waits for a person."""

    handoffs: list[HandoffRow]


class ReplyAccepted(BaseModel):
    """The reply is in the outbox; what became of it stands in the transcript."""

    message: int
    new: bool = Field(description="False: the same Idempotency-Key came before; nothing was sent.")
    verified: bool = Field(
        description="Whether the customer has proved who they are. If not, the reply must not "
        "have named anything about a claim: no machine checks a person's free text."
    )


class NoteKept(BaseModel):
    """The note stands with the handoff, nowhere else."""

    note: int


OF_ONE: dict[int | str, dict[str, Any]] = {
    **OF_KEY,
    404: {"model": Unknown, "description": "The merchant has no such handoff."},
}
OF_WORK: dict[int | str, dict[str, Any]] = {
    **OF_ONE,
    409: {"model": Refusal, "description": "A named fact stands against it."},
}


@router.get("", response_model=HandoffList, responses=OF_KEY, summary="What waits for a person")
async def get_handoffs(
    request: Request,
    merchant: ForHandoffs,
    taken: Annotated[
        bool | None, Query(description="Only those that a person has, or that nobody has.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=LISTED_MAX)] = 100,
) -> HandoffList:
    """List the open handoffs: crisis first, then hardship and bereavement, then the oldest."""
    parts: Parts = request.app.state.parts
    async with parts.database.merchant(merchant.id) as session:
        found = await open_handoffs(
            session, merchant.id, parts.clock.now(), taken=taken, limit=limit
        )
    return HandoffList(handoffs=[row(each) for each in found])


@router.get(
    "/{handoff}",
    response_model=HandoffDetail,
    responses=OF_ONE,
    summary="One handoff: facts, suggested next step, notes and transcript",
)
async def get_handoff(request: Request, merchant: ForHandoffs, handoff: HandoffId) -> HandoffDetail:
    """Everything a person needs before writing. Open or ended; computed as it is asked for."""
    parts: Parts = request.app.state.parts
    async with parts.database.merchant(merchant.id) as session:
        return detail(await summary(session, merchant.id, handoff, parts.clock.now()))


@router.post("/{handoff}/take", response_model=HandoffDetail, responses=OF_WORK, summary="Take it")
async def post_take(
    request: Request, merchant: ForHandoffs, handoff: HandoffId, given: TakeRequest
) -> HandoffDetail:
    """From now on the assistant is silent and the customer's messages wait for this person.

    Of two people one gets it; the other is told who. Taking it again changes nothing.
    """
    parts: Parts = request.app.state.parts
    async with working(request, merchant.id, handoff) as session:
        now = parts.clock.now()
        before = By(given.instead_of) if given.instead_of else None
        await desk.take(session, handoff, By(given.agent), now, instead_of=before)
        await session.flush()
        return detail(await summary(session, merchant.id, handoff, now))


@router.post(
    "/{handoff}/reply",
    response_model=ReplyAccepted,
    responses=OF_WORK,
    summary="Write to the customer",
)
async def post_reply(
    request: Request,
    merchant: ForHandoffs,
    handoff: HandoffId,
    given: ReplyRequest,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=200,
            description="Any text of yours that is new for each reply: a repeated request with "
            "the same one sends once.",
        ),
    ] = None,
) -> ReplyAccepted:
    """Send a free text on the customer's channel; a notice that a person writes goes before it.

    Who has written on their page reads it there; who has left it is told on their channel, without
    a word of it, that there is an answer.

    **Look at `verified` first**: while it is false nothing about a claim may be named.
    """
    parts: Parts = request.app.state.parts
    async with working(request, merchant.id, handoff) as session:
        replied = await desk.reply(
            session,
            handoff,
            By(given.agent),
            given.text,
            parts.clock.now(),
            key=idempotency_key,
            public_url=parts.public_url,
        )
        await send_outbox(request, session, merchant.id, handoff)
    return ReplyAccepted(message=replied.message_id, new=replied.new, verified=replied.verified)


@router.post(
    "/{handoff}/note", response_model=NoteKept, responses=OF_WORK, summary="Note something"
)
async def post_note(
    request: Request, merchant: ForHandoffs, handoff: HandoffId, given: NoteRequest
) -> NoteKept:
    """Keep words for colleagues. A note is no message and cannot reach the customer."""
    parts: Parts = request.app.state.parts
    async with working(request, merchant.id, handoff) as session:
        kept = await desk.note(session, handoff, By(given.agent), given.text, parts.clock.now())
    return NoteKept(note=kept)


@router.post(
    "/{handoff}/return",
    response_model=HandoffDetail,
    responses=OF_WORK,
    summary="Give it back to the assistant",
)
async def post_return(
    request: Request, merchant: ForHandoffs, handoff: HandoffId, given: ReturnRequest
) -> HandoffDetail:
    """The assistant answers again, and says again that it is one.

    It greets the customer at once where that is permitted now (contact hours, opt-out, WhatsApp's
    window), else it introduces itself in its next answer. Questions and suggestions of its own
    from before are no longer open.
    """
    parts: Parts = request.app.state.parts
    async with working(request, merchant.id, handoff) as session:
        now = parts.clock.now()
        conversation = await desk.conversation_of(session, handoff)
        greeted = await desk.give_back(
            session,
            handoff,
            By(given.agent),
            now,
            hint=given.hint,
            facts=given.facts,
            greet=await may_write_unasked(session, conversation, now),
            resume_contact=given.resume_contact,
            reopen_proof=given.reopen_proof,
        )
        if greeted:
            await send_outbox(request, session, merchant.id, handoff)
        await session.flush()
        return detail(await summary(session, merchant.id, handoff, now))


@router.post(
    "/{handoff}/close", response_model=HandoffDetail, responses=OF_WORK, summary="Close it"
)
async def post_close(
    request: Request, merchant: ForHandoffs, handoff: HandoffId, given: CloseRequest
) -> HandoffDetail:
    """End it with its outcome. When the customer writes again, the assistant answers."""
    parts: Parts = request.app.state.parts
    async with working(request, merchant.id, handoff) as session:
        now = parts.clock.now()
        await desk.close(
            session,
            handoff,
            By(given.agent),
            given.outcome,
            now,
            resume_contact=given.resume_contact,
            reopen_proof=given.reopen_proof,
        )
        await session.flush()
        return detail(await summary(session, merchant.id, handoff, now))


@asynccontextmanager
async def working(request: Request, merchant_id: int, handoff: int) -> AsyncIterator[AsyncSession]:
    """One transaction that holds the lock of the handoff's conversation; then a live event."""
    parts: Parts = request.app.state.parts
    async with parts.database.merchant(merchant_id) as session:
        conversation = await desk.conversation_of(session, handoff)
    async with parts.database.conversation(merchant_id, conversation) as session:
        yield session
    await parts.events.changed(merchant_id, conversation)


async def send_outbox(
    request: Request, session: AsyncSession, merchant_id: int, handoff: int
) -> None:
    """Have sent what was written, in the caller's transaction. Raises Overtaken."""
    conversation = await desk.conversation_of(session, handoff)
    await defer_delivery(request.app.state.jobs, session, merchant_id, conversation)
