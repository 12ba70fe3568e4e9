"""The outbox: replies are rendered and stored in the transaction that marks a message handled."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from channels.choices import LETTERED_CHANNELS, LETTERS, lettered
from conversation.delivery import claim, hindrance
from conversation.wording import MerchantVoice, Rendered, RenderedButton, render
from storage.tables import (
    ButtonChoice,
    ChannelAccount,
    Conversation,
    Customer,
    Merchant,
    Message,
)


@dataclass(frozen=True)
class Reply:
    """One wording to say, with its arguments and buttons (button titles are wordings too)."""

    say: str
    args: dict[str, Any] = field(default_factory=dict)
    buttons: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Speaker:
    """Everything that decides how a wording sounds in one conversation."""

    voice: MerchantVoice
    language: str
    address_form: str
    tone: str
    channel: str
    verified: bool
    templates: dict[str, Any]

    def say(self, reply: Reply) -> Rendered:
        """Render a reply.

        Raises:
            DisclosureRefused: it carries claim facts and the customer is not verified.
        """
        return render(
            reply.say,
            reply.args,
            buttons=reply.buttons,
            language=self.language,
            address_form=self.address_form,
            tone=self.tone,
            channel=self.channel,
            merchant=self.voice,
            verified=self.verified,
        )


async def speaker_for(
    session: AsyncSession, conversation: Conversation, *, verified: bool
) -> Speaker:
    """Who speaks in this conversation, and how."""
    row = (
        await session.execute(
            select(Merchant, ChannelAccount.templates, Customer)
            .join(ChannelAccount, ChannelAccount.merchant_id == Merchant.id)
            .outerjoin(Customer, Customer.id == conversation.customer_id)
            .where(ChannelAccount.id == conversation.channel_account_id)
        )
    ).one()
    return speaker_of(conversation, row[0], row[2], row[1], verified=verified)


def speaker_of(
    conversation: Conversation,
    merchant: Merchant,
    customer: Customer | None,
    templates: Mapping[str, Any],
    *,
    verified: bool,
) -> Speaker:
    """The same of rows that are at hand already."""
    known = customer.language if customer else None
    form = customer.address_form if customer else None
    return Speaker(
        voice=MerchantVoice(
            name=merchant.name,
            alias=merchant.alias,
            phone=merchant.phone,
            email=merchant.email,
            website=merchant.website,
            payee=merchant.payee,
            iban=merchant.iban,
            bic=merchant.bic,
        ),
        language=conversation.language or known or merchant.language,
        address_form=conversation.address_form or form or merchant.address_form,
        tone=merchant.tone,
        channel=conversation.channel,
        verified=verified,
        templates=dict(templates),
    )


async def queue(
    session: AsyncSession,
    conversation: Conversation,
    speaker: Speaker,
    replies: Sequence[Reply],
    now: datetime,
    *,
    in_reply_to: int | None = None,
    author: str = "bot",
    claim_first: bool = False,
) -> list[Message]:
    """Render and store replies in order, queued for sending; return their messages.

    The first message of a conversation is introduced: the automated assistant names itself
    (AI Act Art. 50(1)). With `claim_first` the caller sends the first one as soon as it has
    committed, where nothing hinders it. Raises what rendering raises; commits nothing.
    """
    replies = list(replies)
    introduces = {"introduction", "first_contact", "first_reminder"}
    if replies and author == "bot" and conversation.introduced_at is None:
        if not introduces & {reply.say for reply in replies}:
            replies.insert(0, Reply("introduction"))
        conversation.introduced_at = now
    queued: list[Message] = []
    choices: list[tuple[Message, int, RenderedButton, str]] = []
    for ordinal, reply in enumerate(replies):
        rendered = speaker.say(reply)
        shown = [
            {"id": secrets.token_urlsafe(12), "title": button.title} for button in rendered.buttons
        ]
        message = Message(
            merchant_id=conversation.merchant_id,
            conversation_id=conversation.id,
            channel_account_id=conversation.channel_account_id,
            direction="out",
            author=author,
            kind="message",
            text=_with_choices(rendered.text, shown, speaker.channel),
            buttons=shown,
            attachments=[],
            raw={},
            in_reply_to=in_reply_to,
            ordinal=ordinal if in_reply_to is not None else None,
            wording=rendered.wording,
            args=reply.args,
            discloses=rendered.discloses,
            template=_template(speaker, rendered),
            status="queued",
            attempts=0,
            created_at=now,
        )
        queued.append(message)
        choices += [
            (message, position, button, choice["id"])
            for position, (button, choice) in enumerate(zip(rendered.buttons, shown, strict=True))
        ]
    if queued and claim_first and hindrance(queued[0], conversation, now) is None:
        claim(queued[0], now)
    session.add_all(queued)
    await session.flush()
    session.add_all(
        ButtonChoice(
            id=choice_id,
            merchant_id=conversation.merchant_id,
            conversation_id=conversation.id,
            message_id=message.id,
            position=position,
            title=button.title,
            intent=button.intent,
            entities=dict(button.entities),
        )
        for message, position, button, choice_id in choices
    )
    return queued


def _with_choices(body: str, shown: Sequence[dict[str, str]], channel: str) -> str:
    if not shown or channel not in LETTERED_CHANNELS:
        return body
    return lettered(body, [button["title"] for button in shown])


def _template(speaker: Speaker, rendered: Rendered) -> dict[str, Any] | None:
    """The provider's approved template for this wording, where the account has one."""
    sid = speaker.templates.get(f"{rendered.wording}.{speaker.language}")
    if speaker.channel != "whatsapp" or not sid:
        return None
    return {"id": sid, "variables": dict(rendered.template_variables)}


@dataclass(frozen=True)
class Question:
    """A message of ours that an answer may belong to, with the buttons as they were shown."""

    message_id: int
    buttons: Sequence[Mapping[str, str]]


async def resolve_choice(
    session: AsyncSession, message: Message, newest_of_bot: Question | None
) -> ButtonChoice | None:
    """What a pressed button, a letter, or a choice's exact title means in this conversation.

    Only buttons that were shown in the same conversation count; letters and titles count for the
    newest message that was there when the customer wrote: a letter typed before a question came
    is no answer to it. `newest_of_bot` is the newest of all.
    """
    if message.buttons:
        pressed = await _choice(session, message, message.buttons[0]["id"])
        if pressed is not None:
            return pressed
        # An approved template's quick reply has an id of its own; its title says what it means.
    typed = re.sub(r"[\s.)!]+$", "", message.text.strip()).casefold()
    if not typed or len(typed) > 80 or newest_of_bot is None:
        return None
    question: Question | None = newest_of_bot
    if newest_of_bot.message_id > message.id:
        question = await _question_before(session, message)
    for position, button in enumerate(question.buttons if question is not None else ()):
        letter = LETTERS[position].casefold() if position < len(LETTERS) else ""
        if typed in (letter, button["title"].casefold()):
            return await _choice(session, message, button["id"])
    return None


async def _question_before(session: AsyncSession, message: Message) -> Question | None:
    row = (
        await session.execute(
            select(Message.id, Message.buttons)
            .where(
                Message.conversation_id == message.conversation_id,
                Message.direction == "out",
                Message.author == "bot",
                Message.id < message.id,
            )
            .order_by(Message.id.desc())
            .limit(1)
        )
    ).one_or_none()
    return Question(row.id, row.buttons) if row is not None else None


async def _choice(session: AsyncSession, message: Message, choice_id: str) -> ButtonChoice | None:
    return await session.scalar(
        select(ButtonChoice).where(
            ButtonChoice.id == choice_id,
            ButtonChoice.conversation_id == message.conversation_id,
        )
    )
