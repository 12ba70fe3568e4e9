"""``/console/bank``: movements of bank statements that nothing was sure of, decided one by one."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Form, Path, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.bank_statements import named_amount
from api.pages.console.conversations import BIGGEST
from api.pages.console.page import console_router, go, language_of, notice, parts_of, query, respond
from api.pages.console.view import moment, texts
from api.people import audit
from api.people.access import Needs
from api.people.roles import Permission
from api.people.sessions import SignedIn
from conversation.wording import formats
from ledger.bank import known, review
from ledger.bank.review import Reviewed, ReviewRefused
from ledger.book_list import ListedClaim, Order, Which, listed
from ledger.book_search import TYPED_CHARACTERS_MAX, search
from ledger.money import AmountAmbiguous, AmountUnreadable, Money, parse_amount
from storage.tables import Merchant

router = console_router()

STATES = ("suggested", "unmatched", "posted", "rejected")
LISTED_MAX = 25
CLAIMS_MAX = 20
DONE = ("matched", "ignored", "undone")

Treasurer = Annotated[SignedIn, Depends(Needs(Permission.PAYMENTS))]
Id = Annotated[int, Path(ge=1, le=BIGGEST)]
After = Annotated[int, Query(ge=0, le=BIGGEST)]
Line = Annotated[str, Form(max_length=80)]
Typed = Annotated[str, Query(max_length=4 * TYPED_CHARACTERS_MAX)]


@router.get("/bank")
async def movements(
    request: Request,
    person: Treasurer,
    state: str = "",
    after: After = 0,
    done: str = "",
    of: After = 0,
    lang: str = "",
) -> Response:
    """What waits for a decision, and what was decided."""
    parts = parts_of(request)
    chosen = state if state in STATES else STATES[0]
    decided = chosen in ("posted", "rejected")
    async with parts.database.merchant(person.merchant_id) as session:
        found = await review.listed(
            session, person.merchant_id, states=[chosen], after=after,
            limit=LISTED_MAX + 1, newest_first=decided,
        )  # fmt: skip
        shown = found[:LISTED_MAX]
        now = parts.clock.now()
        audit.note(
            session, person, "movements_seen", now, merchant_id=person.merchant_id, state=chosen
        )
    language = language_of(request)
    kept = {"state": chosen, "lang": lang}
    facts = {
        "person": person,
        "rows": [_view(one, language, person) for one in shown],
        "states": STATES,
        "chosen": chosen,
        "further": query(**kept, after=shown[-1].id) if len(found) > LISTED_MAX else "",
        "first": query(**kept) if after else "",
        "done": done if done in DONE else "",
        "of": of,
    }
    return respond(request, "settings/bank.html", facts)


@router.get("/bank/{movement_id}")
async def movement(request: Request, person: Treasurer, movement_id: Id, q: Typed = "") -> Response:
    """One movement, and claims to match it with, found by whatever somebody has at hand."""
    return await _page(request, person, movement_id, q)


@router.post("/bank/{movement_id}/accept")
async def accept(
    request: Request,
    person: Treasurer,
    movement_id: Id,
    claim: Line = "",
    amount: Line = "",
    back: Line = "",
) -> Response:
    """Post it as proposed, or on the claim named."""

    async def decide(session: AsyncSession) -> None:
        reference = None
        if claim:
            named = await known.claim_references(session, {_number(claim)})
            reference = named.get(_number(claim))
            if reference is None:
                raise ReviewRefused("claim_unknown", "there is no such claim")
        merchant = await session.get_one(Merchant, person.merchant_id)
        await review.accept(
            session, person.merchant_id, movement_id, by=person.operator,
            now=parts_of(request).clock.now(), claim_reference=reference,
            amount=_amount(amount, merchant),
        )  # fmt: skip

    def wanted(before: Reviewed) -> bool:
        """Whether it is posted as this form wants it: a colleague may have matched it otherwise."""
        return not claim or {_number(claim)} == {one.claim_id for one in before.proposals}

    return await _decided(request, person, movement_id, ("posted", "matched", back), decide, wanted)


@router.post("/bank/{movement_id}/reject")
async def reject(request: Request, person: Treasurer, movement_id: Id, back: Line = "") -> Response:
    """Put it aside: it is for none of the claims."""

    async def decide(session: AsyncSession) -> None:
        now = parts_of(request).clock.now()
        await review.reject(session, person.merchant_id, movement_id, by=person.operator, now=now)

    return await _decided(request, person, movement_id, ("rejected", "ignored", back), decide)


@router.post("/bank/{movement_id}/undo")
async def undo(request: Request, person: Treasurer, movement_id: Id, back: Line = "") -> Response:
    """Take back what was posted; it waits for a decision again."""

    async def decide(session: AsyncSession) -> None:
        now = parts_of(request).clock.now()
        await review.undo(session, person.merchant_id, movement_id, by=person.operator, now=now)

    return await _decided(request, person, movement_id, ("suggested", "undone", back), decide)


async def _decided(
    request: Request,
    person: SignedIn,
    movement_id: int,
    outcome: tuple[str, str, str],
    decide: Callable[[AsyncSession], Awaitable[None]],
    wanted: Callable[[Reviewed], bool] = lambda _: True,
) -> Response:
    """Decide about one movement; a form that is sent twice does it once.

    `wanted` says of one that is decided so already whether it is what this form is for.
    """
    state, done, back = outcome
    try:
        async with parts_of(request).database.merchant(person.merchant_id) as session:
            before = await review.one(session, person.merchant_id, movement_id)
            if before is None:
                return notice(request, "nothing", 404, {"person": person})
            if before.state != state or not wanted(before):
                await decide(session)
                now = parts_of(request).clock.now()
                audit.note(
                    session, person, f"movement_{done}", now,
                    merchant_id=person.merchant_id, movement=movement_id,
                )  # fmt: skip
    except ReviewRefused as refused:
        return await _page(request, person, movement_id, "", problem=refused.code)
    where = back if back in STATES else STATES[0]
    return go(request, "/console/bank", state=where, done=done, of=movement_id)


def _number(claim: str) -> int:
    return int(claim) if claim.isascii() and claim.isdigit() and len(claim) < 19 else 0


def _amount(text: str, merchant: Merchant) -> Money | None:
    """What arrived in the claim's currency, as people write it. Raises ReviewRefused."""
    if not text.strip():
        return None
    try:
        read = parse_amount(text, currency=merchant.currency)
    except (AmountUnreadable, AmountAmbiguous) as error:
        raise ReviewRefused("amount", "no amount") from error
    return named_amount(f"{read.decimal:.{read.exponent}f}", merchant)


async def _page(
    request: Request, person: SignedIn, movement_id: int, typed: str, *, problem: str = ""
) -> Response:
    parts, language = parts_of(request), language_of(request)
    typed = typed.strip()
    today = parts.clock.now().astimezone(person.zone).date()
    claims: list[ListedClaim] = []
    async with parts.database.merchant(person.merchant_id) as session:
        found = await review.one(session, person.merchant_id, movement_id)
        if found is None:
            return notice(request, "nothing", 404, {"person": person})
        matches = await search(session, person.merchant_id, typed) if typed else None
        if matches:
            claims, _ = await listed(
                session, person.merchant_id, Which.ALL, Order.DUE,
                today=today, found=matches, limit=CLAIMS_MAX,
            )  # fmt: skip
        currency = (await session.get_one(Merchant, person.merchant_id)).currency
        audit.note(
            session, person, "movements_seen", parts.clock.now(),
            merchant_id=person.merchant_id, movement=movement_id,
        )  # fmt: skip
    words = texts(language)
    facts = {
        "person": person,
        "one": _view(found, language, person),
        "foreign": found.amount.currency != currency,
        "currency": currency,
        "q": typed,
        "claims": [
            {
                "id": claim.id,
                "invoice": claim.invoice_number,
                "customer": claim.customer_number,
                "open": formats.money(claim.open.to_json(), language),
                "due": formats.day(claim.due_date.isoformat(), language, short=True),
                "state": words["claim_states"].get(claim.status, claim.status),
            }
            for claim in claims
        ],
        "problem": words["bank"]["refused"].get(problem, words["bank"]["refused"]["other"])
        if problem
        else "",
    }
    return respond(request, "settings/movement.html", facts, 422 if problem else 200)


def _view(one: Reviewed, language: str, person: SignedIn) -> dict[str, Any]:
    """A movement with what is proposed and why, in words."""
    words = texts(language)["bank"]
    return {
        "id": one.id,
        "state": one.state,
        "state_words": words["states"][one.state],
        "booked": formats.day(one.booked.isoformat(), language, short=True),
        "iso": one.booked.isoformat(),
        "amount": formats.money(one.amount.to_json(), language),
        "payer": one.payer_name or "",
        "iban": one.payer_iban or "",
        "text": one.text,
        "end_to_end": one.end_to_end_id or "",
        "returned": one.returned is not None or one.amount.minor < 0,
        "proposals": [
            (
                proposal.claim_reference,
                formats.money(proposal.amount.to_json(), language) if proposal.amount else "",
            )
            for proposal in one.proposals
        ],
        "others": one.others,
        "evidence": [words["evidence"].get(code, code.replace("_", " ")) for code in one.evidence],
        "doubt": words["doubts"].get(one.doubt, one.doubt) if one.doubt else "",
        "by": one.decided_by or "",
        "at": moment(one.decided_at, language, person.zone) if one.decided_at else "",
    }
