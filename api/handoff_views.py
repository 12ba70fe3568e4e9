"""Handoffs as the REST API shows them: codes and figures, amounts in minor units."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

from conversation.handoff_advice import Mood, Step
from conversation.handoff_summary import Listed, OpenClaim, Summary
from conversation.handoff_urgency import Urgency
from ledger.agreements import AgreementKind
from ledger.claim import ClaimStatus
from ledger.money import Money
from ledger.schedule import Period
from ledger.statement import AgreementRecord
from storage.tables import Customer, Message


class Amount(BaseModel):
    """An amount of money."""

    minor: int = Field(description="Whole minor units (cents).", examples=[10450])
    currency: str = Field(examples=["EUR"])


class HandoffRow(BaseModel):
    """A handoff in the list; without the customer's name and address."""

    id: int
    conversation: int
    urgency: Urgency
    reason: str = Field(description="The main reason.", examples=["asked_for_person"])
    reasons: list[str]
    requested_at: datetime
    answer_by: datetime | None = Field(
        description="Until when a person can honestly be expected to answer (opening hours)."
    )
    promised: bool = Field(description="Whether the customer was told that time.")
    overdue: bool = Field(description="That time has passed and nobody has taken it.")
    overdue_since: datetime | None = Field(description="When it was noticed, and said.")
    taken_by: str | None
    taken_at: datetime | None
    closed_at: datetime | None
    outcome: str | None
    customer_number: str | None
    channel: str
    language: str | None
    verified: bool = Field(
        description="Whether the customer has proved who they are, recently enough. While it is "
        "false nothing about a claim may be named to them."
    )


class ReasonGiven(BaseModel):
    """Why a person is needed, and since when."""

    code: str
    at: datetime


class CustomerFacts(BaseModel):
    """Who it is, as far as an agent needs it; who it is thought to be while not verified."""

    number: str
    name: str
    first_name: str | None
    business: bool
    contact_paused_until: datetime | None
    contact_pause_reason: str | None


class Proof(BaseModel):
    """Proof of identity."""

    verified: bool
    used: str | None = Field(description="Which fact it was proved with.")
    at: datetime | None
    locked: bool = Field(description="Too many wrong tries.")


class Reach(BaseModel):
    """Whether a free text can be sent here now."""

    channel: str
    on_page: bool = Field(
        description="Whether a free text is read on the customer's page, by nobody who has not "
        "proved who they are."
    )
    now: bool
    opted_out: bool
    window_ends_at: datetime | None = Field(
        description="WhatsApp: until when a free text may be sent."
    )


class AgreementFacts(BaseModel):
    """The agreement in force on a claim."""

    kind: AgreementKind
    total: Amount
    instalments: int = Field(description="How many payments were agreed.")
    rhythm: Period | None = Field(description="How often an instalment is due; only of a plan.")
    agreed_at: datetime
    next_due: date | None
    next_amount: Amount | None


class ClaimFacts(BaseModel):
    """An open or disputed claim."""

    reference: str
    invoice_number: str
    description: str
    status: ClaimStatus
    open: Amount
    due: date
    paused_until: date | None
    pause_reason: str | None
    agreement: AgreementFacts | None


class Understood(BaseModel):
    """What the assistant took a message for."""

    intent: str
    confidence: float | None
    at: datetime


class Suggestion(BaseModel):
    """What to do next, and the reason it follows from."""

    step: Step
    because: str


class NoteShown(BaseModel):
    """A note of a colleague, or the hint given with a return."""

    kind: str
    author: str
    text: str
    at: datetime


class Line(BaseModel):
    """A message of the transcript."""

    id: int
    at: datetime
    author: str = Field(description="`customer`, `bot`, `agent` or `system`.")
    agent: str | None = Field(description="Who of the people wrote it.")
    kind: str
    text: str
    on_page: bool = Field(description="Written or shown on the customer's page.")
    buttons: list[str] = Field(description="Choices as they were shown.")
    attachments: list[str] = Field(description="Kinds of what was attached.")
    status: str | None = Field(description="Of what we sent: queued … read, failed, unknown.")
    error: str | None


class HandoffDetail(BaseModel):
    """Everything about one handoff."""

    handoff: HandoffRow
    state: str = Field(description="`bot`, `waiting`, `agent` or `closed`.")
    reasons: list[ReasonGiven]
    customer: CustomerFacts | None
    proof: Proof
    reach: Reach
    claims: list[ClaimFacts]
    offer: dict[str, Any] | None = Field(
        description="The assistant's suggestion that waits for a yes: claim, terms, open amount."
    )
    facts: dict[str, Any] = Field(description="What the requests carried along: wish, days …")
    understood: list[Understood] = Field(description="The newest first.")
    mood: Mood
    next_step: Suggestion
    notes: list[NoteShown]
    transcript: list[Line] = Field(description="The last 200 messages, oldest first.")


def row(listed: Listed) -> HandoffRow:
    """A handoff as a row of the list."""
    handoff = listed.handoff
    return HandoffRow(
        id=handoff.id,
        conversation=handoff.conversation_id,
        urgency=listed.urgency,
        reason=handoff.reason,
        reasons=list(listed.reasons),
        requested_at=handoff.requested_at,
        answer_by=handoff.answer_by,
        promised=handoff.promised,
        overdue=listed.overdue,
        overdue_since=handoff.overdue_at,
        taken_by=handoff.taken_by,
        taken_at=handoff.taken_at,
        closed_at=handoff.closed_at,
        outcome=handoff.outcome,
        customer_number=listed.customer_number,
        channel=listed.channel,
        language=listed.language,
        verified=listed.verified,
    )


def detail(found: Summary) -> HandoffDetail:
    """One handoff with its summary and transcript."""
    listed = found.listed
    return HandoffDetail(
        handoff=row(listed),
        state=found.state,
        reasons=[ReasonGiven(code=each.code, at=each.at) for each in found.reasons],
        customer=_customer(found.customer) if found.customer is not None else None,
        proof=Proof(
            verified=listed.verified,
            used=found.verified_with,
            at=found.verified_at,
            locked=found.verification_locked,
        ),
        reach=Reach(
            channel=listed.channel,
            on_page=found.on_page,
            now=found.reachable,
            opted_out=found.opted_out,
            window_ends_at=found.window_ends_at,
        ),
        claims=[_claim(each) for each in found.claims],
        offer=dict(found.offer) if found.offer else None,
        facts=dict(found.facts),
        understood=[
            Understood(intent=each.intent, confidence=each.confidence, at=each.at)
            for each in found.said
        ],
        mood=found.mood,
        next_step=Suggestion(step=found.advice.step, because=found.advice.because),
        notes=[
            NoteShown(kind=each.kind, author=each.author, text=each.text, at=each.at)
            for each in found.notes
        ],
        transcript=[_line(each) for each in found.transcript],
    )


def _amount(money: Money) -> Amount:
    return Amount(minor=money.minor, currency=money.currency)


def _customer(customer: Customer) -> CustomerFacts:
    return CustomerFacts(
        number=customer.number,
        name=customer.name,
        first_name=customer.first_name,
        business=customer.business,
        contact_paused_until=customer.contact_paused_until,
        contact_pause_reason=customer.contact_pause_reason,
    )


def _claim(found: OpenClaim) -> ClaimFacts:
    claim = found.record.claim
    return ClaimFacts(
        reference=claim.reference,
        invoice_number=claim.invoice_number,
        description=claim.description,
        status=ClaimStatus(claim.status),
        open=_amount(found.record.open.total),
        due=claim.due_date,
        paused_until=claim.paused_until,
        pause_reason=claim.pause_reason,
        agreement=_agreement(found.agreement) if found.agreement is not None else None,
    )


def _agreement(agreement: AgreementRecord) -> AgreementFacts:
    coming = agreement.next_instalment
    return AgreementFacts(
        kind=agreement.terms.kind,
        total=_amount(agreement.terms.total),
        instalments=len(agreement.progress),
        rhythm=agreement.rhythm,
        agreed_at=agreement.agreed_at,
        next_due=coming.instalment.due if coming is not None else None,
        next_amount=_amount(coming.missing) if coming is not None else None,
    )


def _line(message: Message) -> Line:
    sent = message.direction == "out"
    return Line(
        id=message.id,
        at=message.created_at,
        author=message.author,
        agent=message.args.get("agent") if message.author == "agent" else None,
        kind=message.kind,
        text=message.text,
        on_page=message.page_customer_id is not None,
        buttons=[button["title"] for button in message.buttons if "title" in button],
        attachments=[attachment.get("kind", "file") for attachment in message.attachments],
        status=message.status if sent else None,
        error=message.error if sent else None,
    )
