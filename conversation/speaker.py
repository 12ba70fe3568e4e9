"""Who speaks in a conversation, and how: replies as the messages that a customer gets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from channels.message import PHONE_CHANNELS, Channel
from conversation.wording import MerchantVoice, Rendered, merchant_catalogue, render

JOINED_CHARACTERS_MAX = 1200
"""Of a message in which one text leads up to another: with choices well below what Twilio takes."""


@dataclass(frozen=True)
class Reply:
    """One wording to say, with its arguments and buttons (button titles are wordings too).

    `variant` is a number that picks one of the wording's variants; 0 is the standard one.
    """

    say: str
    args: dict[str, Any] = field(default_factory=dict)
    buttons: list[dict[str, Any]] = field(default_factory=list)
    variant: int = 0


@dataclass(frozen=True)
class Speaker:
    """Everything that decides how a wording sounds in one conversation."""

    voice: MerchantVoice
    language: str
    address_form: str
    tone: str
    channel: str
    verified: bool
    templates: Mapping[str, Any]
    wordings: Mapping[str, Any] = field(default_factory=dict)
    """The merchant's own texts, laid over the catalogue."""

    def carries_page(self, reply: Reply) -> bool:
        """Whether a reply leads to the customer's page."""
        wording = merchant_catalogue(self.wordings).wordings.get(reply.say)
        return wording is not None and wording.carries_page

    def say(self, reply: Reply, page: str = "") -> Rendered:
        """Render a reply; `page` is the link to the customer's page, where it carries one.

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
            # An approved template has one text; its own variants would be other templates.
            variant=0 if self.template_of(reply.say) else reply.variant,
            catalogue=merchant_catalogue(self.wordings),
            page=page,
        )

    def template_of(self, wording: str) -> Any:
        """The provider's approved template for a wording, where the account has one."""
        if self.channel != "whatsapp":
            return None
        return self.templates.get(f"{wording}.{self.language}")

    def spoken(
        self, replies: Sequence[Reply], pages: Mapping[int, str] | None = None
    ) -> "list[Spoken]":
        """The replies as they are sent: one or more messages.

        On a telephone every message costs and may overtake another, so what only leads up to the
        next one stands above it in the same message. `pages` has links to the customer's page by
        the place of the reply that carries it.
        """
        spoken: list[Spoken] = []
        for place, reply in enumerate(replies):
            rendered = self.say(reply, pages.get(place, "") if pages else "")
            places: tuple[int, ...] = (place,)
            if spoken and self._joins(spoken[-1].rendered, rendered):
                before = spoken.pop()
                lead, places = before.rendered, (*before.places, place)
                gap = "\n" if self.channel == Channel.SMS else "\n\n"
                rendered = replace(
                    rendered,
                    text=f"{lead.text}{gap}{rendered.text}",
                    discloses=lead.discloses or rendered.discloses,
                )
            spoken.append(Spoken(reply, rendered, places))
        return spoken

    def _joins(self, lead: Rendered, following: Rendered) -> bool:
        return (
            self.channel in PHONE_CHANNELS
            and lead.leads
            and not (lead.buttons or self.template_of(following.wording))
            and len(lead.text) + len(following.text) <= JOINED_CHARACTERS_MAX
        )


@dataclass(frozen=True, slots=True)
class Spoken:
    """One message: its last reply, the text with all that leads up to it, and their places."""

    reply: Reply
    rendered: Rendered
    places: tuple[int, ...]
