"""The outbox: replies are rendered and stored in the transaction that marks a message handled."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    SQLColumnExpression,
    Text,
    and_,
    bindparam,
    exists,
    func,
    literal,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from channels.choices import LETTERED_CHANNELS, LETTERS, lettered
from conversation import page_link
from conversation.delivery import IS_UNSENT, ToSend, hindrance, outbound_message
from conversation.identity import proved_at_page
from conversation.introduction import INTRODUCING
from conversation.speaker import Reply, Speaker
from conversation.wording import MerchantVoice, Rendered
from storage.statement import Statement
from storage.tables import ButtonChoice, ChannelAccount, Conversation, Customer, Merchant, Message

PAGE = "page"
"""What stands for a channel where a message is shown on the customer's page."""


@dataclass(frozen=True)
class Scene:
    """Where replies are put: a conversation with its customer, and the merchant who speaks.

    `verified_at` and `customer_id` are the conversation's; `message_text` is that of the message
    that was asked for, None when it is handled already.
    """

    conversation_id: int
    merchant_id: int
    channel_account_id: int
    channel: str
    address: str
    customer_id: int | None
    verified_at: datetime | None
    introduced: bool
    last_inbound_at: datetime | None
    conversation_language: str | None
    customer_language: str | None
    merchant_language: str
    address_form: str
    tone: str
    templates: Mapping[str, Any]
    policy: Mapping[str, Any]
    wordings: Mapping[str, Any]
    voice: MerchantVoice
    unsent: bool
    """Whether the outbox holds anything yet."""
    message_text: str | None
    locked_at: datetime | None = None
    page_customer_id: int | None = None
    """On whose page the replies are shown; None: they are sent on the channel."""

    def at_page_of(self, customer_id: int) -> "Scene":
        """The same with replies that are shown on this customer's page."""
        return replace(self, page_customer_id=customer_id)

    @property
    def proved_at_page(self) -> bool:
        """Whether the page's own proof covers the replies."""
        return proved_at_page(self.customer_id, self.page_customer_id, self.locked_at)

    def speaker(self, *, verified: bool, language: str | None = None) -> Speaker:
        """Who speaks, and how; `language` is the conversation's where that has just changed."""
        return Speaker(
            voice=self.voice,
            language=language
            or self.conversation_language
            or self.customer_language
            or self.merchant_language,
            address_form=self.address_form,
            tone=self.tone,
            channel=self.channel if self.page_customer_id is None else PAGE,
            verified=verified,
            templates=self.templates,
            wordings=self.wordings,
        )


_VOICE = [field.name for field in fields(MerchantVoice)]
_asked = aliased(Message, name="asked")
_SCENE = Statement(
    select(
        Conversation.id.label("conversation_id"),
        Conversation.merchant_id,
        Conversation.channel_account_id,
        Conversation.channel,
        Conversation.address,
        Conversation.customer_id,
        Conversation.verified_at,
        Conversation.introduced_at.is_not(None).label("introduced"),
        Conversation.last_inbound_at,
        Conversation.language.label("conversation_language"),
        Customer.language.label("customer_language"),
        Merchant.language.label("merchant_language"),
        func.coalesce(
            Conversation.address_form, Customer.address_form, Merchant.address_form
        ).label("address_form"),
        Merchant.tone,
        ChannelAccount.templates,
        Merchant.policy,
        Merchant.wordings,
        exists()
        .where(Message.conversation_id == Conversation.id, IS_UNSENT)
        .correlate(Conversation)
        .label("unsent"),
        _asked.text.label("message_text"),
        _asked.page_customer_id,
        Conversation.verification_locked_at.label("locked_at"),
        *(getattr(Merchant, name) for name in _VOICE),
    )
    .join(Merchant, Merchant.id == Conversation.merchant_id)
    .join(ChannelAccount, ChannelAccount.id == Conversation.channel_account_id)
    .outerjoin(Customer, Customer.id == Conversation.customer_id)
    .outerjoin(
        _asked,
        and_(
            _asked.id == bindparam("message_id", type_=BigInteger),
            _asked.handled_at.is_(None),
        ),
    )
    .where(Conversation.id == bindparam("conversation_id", type_=BigInteger))
)


async def scene(
    session: AsyncSession, conversation_id: int, message_id: int | None = None
) -> Scene:
    """Read the scene of a conversation, with an unhandled message of it."""
    (found,) = await _SCENE.run(session, conversation_id=conversation_id, message_id=message_id)
    row = found._asdict()
    voice = MerchantVoice(**{name: row.pop(name) for name in _VOICE})
    return Scene(voice=voice, **row)


@dataclass(frozen=True)
class Queued:
    """A message in the outbox; `to_send` is set where the caller has claimed it."""

    message_id: int
    to_send: ToSend | None = None


_QUEUE = Statement(
    text(
        """
    WITH given AS MATERIALIZED (
        SELECT nextval(pg_get_serial_sequence('message', 'id')) AS id, reply.*
        FROM jsonb_to_recordset(:replies) AS reply (
            position int, text text, buttons jsonb, wording text, variant text, tone text,
            args jsonb, discloses boolean, template jsonb, status text, choices jsonb,
            page_links jsonb
        )
        ORDER BY position
    ), written AS (
        INSERT INTO message (
            id, merchant_id, conversation_id, channel_account_id, direction, author, kind, text,
            buttons, in_reply_to, ordinal, wording, variant, tone, args, discloses, template,
            status, attempts, claimed_at, page_customer_id, sent_at, created_at
        )
        SELECT id, :merchant_id, :conversation_id, :channel_account_id, 'out', :author, 'message',
            text, buttons, :in_reply_to, CASE WHEN :in_reply_to IS NOT NULL THEN position END,
            wording, variant, tone, args, discloses, template, status, (status = 'sending')::int,
            CASE status WHEN 'sending' THEN :now END, :page_customer_id,
            CASE status WHEN 'sent' THEN :now END, :now
        FROM given
    ), chosen AS (
        INSERT INTO button_choice (
            id, merchant_id, conversation_id, message_id, position, title, intent, entities
        )
        SELECT choice.id, :merchant_id, :conversation_id, given.id, choice.position, choice.title,
            choice.intent, choice.entities
        FROM given, jsonb_to_recordset(given.choices) AS choice (
            id text, position int, title text, intent text, entities jsonb
        )
    ), linked AS (
        INSERT INTO page_link (
            hash, merchant_id, customer_id, conversation_id, message_id, created_at, expires_at,
            trusted_until
        )
        SELECT link.hash, :merchant_id, :customer_id, :conversation_id, given.id, :now,
            link.expires_at, link.trusted_until
        FROM given, jsonb_to_recordset(given.page_links) AS link (
            hash text, expires_at timestamptz, trusted_until timestamptz
        )
    ), introduced AS (
        UPDATE conversation SET introduced_at = :now
        WHERE id = :conversation_id AND introduced_at IS NULL AND :author = 'bot'
    )
    SELECT id FROM given ORDER BY position
    """
    ).bindparams(
        bindparam("replies", type_=JSONB),
        bindparam("merchant_id", type_=BigInteger),
        bindparam("conversation_id", type_=BigInteger),
        bindparam("customer_id", type_=BigInteger),
        bindparam("channel_account_id", type_=BigInteger),
        bindparam("author", type_=Text),
        bindparam("in_reply_to", type_=BigInteger),
        bindparam("page_customer_id", type_=BigInteger),
        bindparam("now", type_=DateTime(timezone=True)),
    )
)
"""All in one statement: every turn pays for it."""


async def queue(
    session: AsyncSession,
    held: Scene,
    speaker: Speaker,
    replies: Sequence[Reply],
    now: datetime,
    *,
    in_reply_to: int | None = None,
    author: str = "bot",
    claim_first: bool = False,
    public_url: str = "",
) -> list[Queued]:
    """Render and store replies in order, queued for sending.

    The first message of a conversation is introduced: the automated assistant names itself
    (AI Act Art. 50(1)). What is said on the customer's page needs no sending: it is there as soon
    as the caller has committed. With `claim_first` the caller sends the first one as soon as it has
    committed, where the outbox is empty and nothing hinders it. With `public_url`, our address,
    replies that lead to the customer's page get a link of their own. Raises what rendering raises;
    commits nothing.
    """
    if not replies:
        return []
    introducing = INTRODUCING & {reply.say for reply in replies}
    if author == "bot" and not held.introduced and not introducing:
        replies = [Reply("introduction"), *replies]
    on_page = held.page_customer_id is not None
    leads_there = public_url and held.customer_id is not None and not on_page
    codes = {
        position: page_link.new_code()
        for position, reply in enumerate(replies)
        if leads_there and speaker.carries_page(reply)
    }
    links = {place: page_link.address(code, public_url) for place, code in codes.items()}
    all_spoken = speaker.spoken(replies, links)
    drafts = [
        _draft(speaker, spoken.rendered, spoken.reply, position)
        for position, spoken in enumerate(all_spoken)
    ]
    for draft, spoken in zip(drafts, all_spoken, strict=True):
        draft["page_links"] = [
            page_link.with_message(codes[place], now, verified=speaker.verified)
            for place in spoken.places
            if place in codes
        ]
    first = drafts[0]
    claimed = (
        claim_first
        and not (on_page or held.unsent)
        and hindrance(held, now, template=first["template"]) is None
    )
    if claimed:
        first["status"] = "sending"
    elif on_page:
        drafts = [{**draft, "status": "sent"} for draft in drafts]
    written = await _QUEUE.run(
        session,
        replies=drafts,
        merchant_id=held.merchant_id,
        conversation_id=held.conversation_id,
        customer_id=held.customer_id,
        channel_account_id=held.channel_account_id,
        author=author,
        in_reply_to=in_reply_to,
        page_customer_id=held.page_customer_id,
        now=now,
    )
    queued = [Queued(row.id) for row in written]
    if claimed:
        outbound = outbound_message(
            held,
            queued[0].message_id,
            text=first["text"],
            buttons=first["buttons"],
            template=first["template"],
        )
        queued[0] = Queued(queued[0].message_id, ToSend(held.channel_account_id, outbound))
    return queued


def _draft(speaker: Speaker, rendered: Rendered, reply: Reply, position: int) -> dict[str, Any]:
    choices: list[dict[str, Any]] = [
        {
            "id": secrets.token_urlsafe(12),
            "position": place,
            "title": button.title,
            "intent": button.intent,
            "entities": dict(button.entities),
        }
        for place, button in enumerate(rendered.buttons)
    ]
    shown = [{"id": choice["id"], "title": choice["title"]} for choice in choices]
    return {
        "position": position,
        "text": _with_choices(rendered.text, shown, speaker.channel),
        "buttons": shown,
        "wording": rendered.wording,
        "variant": rendered.variant,
        "tone": speaker.tone,
        "args": reply.args,
        "discloses": rendered.discloses,
        "template": _template(speaker, rendered),
        "status": "queued",
        "choices": choices,
    }


def _with_choices(body: str, shown: Sequence[dict[str, str]], channel: str) -> str:
    if not shown or channel not in LETTERED_CHANNELS:
        return body
    return lettered(body, [button["title"] for button in shown])


def _template(speaker: Speaker, rendered: Rendered) -> dict[str, Any] | None:
    sid = speaker.template_of(rendered.wording)
    if not sid:
        return None
    return {"id": sid, "variables": dict(rendered.template_variables)}


@dataclass(frozen=True)
class Question:
    """A message of ours that an answer may belong to, with the buttons as they were shown."""

    message_id: int
    buttons: Sequence[Mapping[str, str]]
    shown: bool
    """Whether it was there when the customer wrote, see `was_shown`."""


def was_shown(
    question: type[Message],
    before: SQLColumnExpression[int],
    at: SQLColumnExpression[datetime],
    page: SQLColumnExpression[int | None],
) -> ColumnElement[bool]:
    """Whether a message of ours had left when the customer wrote the message `before`, at `at`.

    One that still waits, was held back or failed has shown nothing, nor has one on the page to who
    writes on the channel, or the other way round: a "yes" cannot mean it. `page` is whose page the
    customer's message was written on, if it was.
    """
    shown: list[ColumnElement[str]] = [
        literal_column(f"'{status}'") for status in ("sent", "delivered", "read")
    ]
    return and_(
        question.id < before,
        question.page_customer_id.is_not_distinct_from(page),
        question.status.in_(shown),
        func.coalesce(question.claimed_at, question.created_at) <= at,
    )


@dataclass(frozen=True)
class Said:
    """What a customer wrote or pressed, and where."""

    conversation_id: int
    channel: str
    message_id: int
    at: datetime
    text: str
    buttons: Sequence[Mapping[str, str]]
    page_customer_id: int | None = None


async def resolve_choice(
    session: AsyncSession, said: Said, newest_of_bot: Question | None
) -> ButtonChoice | None:
    """What a pressed button, a letter, or a choice's exact title means in this conversation.

    Only buttons that were shown in the same conversation count; letters and titles count for the
    newest message that was there when the customer wrote: a letter typed before a question left
    is no answer to it, nor is one where none was shown. `newest_of_bot` is the newest of all.
    """
    if said.buttons:
        pressed = await _choice(session, said, said.buttons[0]["id"])
        if pressed is not None:
            return pressed
        # An approved template's quick reply has an id of its own; its title says what it means.
    typed = re.sub(r"[\s.)!]+$", "", said.text.strip()).casefold()
    if not typed or len(typed) > 80 or newest_of_bot is None:
        return None
    question: Question | None = newest_of_bot
    if not newest_of_bot.shown:
        question = await _question_before(session, said)
    letters = LETTERS.casefold() if said.channel in LETTERED_CHANNELS else ""
    for position, button in enumerate(question.buttons if question is not None else ()):
        if typed in (letters[position : position + 1], button["title"].casefold()):
            return await _choice(session, said, button["id"])
    return None


async def _question_before(session: AsyncSession, said: Said) -> Question | None:
    row = (
        await session.execute(
            select(Message.id, Message.buttons)
            .where(
                Message.conversation_id == said.conversation_id,
                Message.direction == "out",
                Message.author == "bot",
                was_shown(
                    Message,
                    literal(said.message_id),
                    literal(said.at),
                    literal(said.page_customer_id, BigInteger),
                ),
            )
            .order_by(Message.id.desc())
            .limit(1)
        )
    ).one_or_none()
    return Question(row.id, row.buttons, shown=True) if row is not None else None


async def _choice(session: AsyncSession, said: Said, choice_id: str) -> ButtonChoice | None:
    return await session.scalar(
        select(ButtonChoice).where(
            ButtonChoice.id == choice_id,
            ButtonChoice.conversation_id == said.conversation_id,
        )
    )
