"""One request to the customer's page: who is visiting, what they have, and how to answer them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import procrastinate
import yaml
from babel.numbers import format_decimal
from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from api.pages.brand import accent_css
from api.pages.page import Pages, wanted_language
from api.pages.pay import sessions
from api.pages.pay.claims import ClaimView, view_of
from api.pages.wordlist import formed
from api.wiring import Parts
from conversation.wording import formats, load_catalogue
from ledger import book
from ledger.money import Money
from negotiation.policy import Policy
from negotiation.policy_data import policy_from_data
from storage.tables import Customer, Merchant

HOME = "/p"
_TEXTS: Mapping[str, Any] = yaml.safe_load(Path(__file__).with_name("texts.yml").read_text("utf-8"))
pages = Pages("pay", "pay.css", "pay.js", "chat.js")


@cache
def texts(language: str, form: str) -> SimpleNamespace:
    """The page's words for one reader: by name, nested groups as mappings."""
    return SimpleNamespace(**formed(_TEXTS[language], form))


@dataclass
class Visit:
    """A visitor's request, in one transaction of their merchant; the caller's end commits it."""

    parts: Parts
    jobs: procrastinate.App
    session: AsyncSession
    visitor: sessions.Visitor
    merchant: Merchant
    customer: Customer
    now: datetime
    after: list[int] = field(default_factory=list)
    """Conversations that changed, to be told once this is committed."""

    @cached_property
    def policy(self) -> Policy:
        return policy_from_data(self.merchant.policy)

    @cached_property
    def today(self) -> date:
        return self.now.astimezone(ZoneInfo(self.merchant.timezone)).date()

    @property
    def language(self) -> str:
        return self.visitor.language

    @property
    def form(self) -> str:
        return self.customer.address_form or self.merchant.address_form

    def moment(self, at: datetime) -> str:
        """A moment at the merchant's, as people write it."""
        local = at.astimezone(ZoneInfo(self.merchant.timezone))
        day = formats.day(local.date().isoformat(), self.language, short=True)
        return f"{local:%H:%M}" if local.date() == self.today else f"{day} {local:%H:%M}"

    async def claims(self) -> list[ClaimView]:
        """All the customer's claims; those that want something come first."""
        found = await book.records_of(
            self.session, self.customer.id, pursued_only=False, now=self.now
        )
        views = [view_of(record, self.policy, self.now) for record in found]
        return sorted(views, key=lambda one: (not one.payable, one.state == "settled"))

    async def claim(self, claim_id: int) -> ClaimView | None:
        """One of their claims; None for anybody else's."""
        return next((one for one in await self.claims() if one.id == claim_id), None)

    def respond(
        self,
        template: str,
        facts: Mapping[str, Any] | None = None,
        status: int = 200,
        leads_to: Sequence[str] = (),
    ) -> Response:
        """A page, with everything that all of them show; its forms may end at `leads_to`."""
        given = {
            "csrf": self.visitor.csrf,
            "visiting": True,
            "today": self.today,
            "moment": self.moment,
            **(facts or {}),
        }
        return respond(
            template, given, self.language, self.form, self.merchant, status, leads_to=leads_to
        )


class NotVisiting(Exception):
    """Nobody is signed in, or a form is not ours."""


@asynccontextmanager
async def visiting(
    request: Request, *, csrf: str | None = None, lang: str = "", noted: bool = True
) -> AsyncIterator[Visit]:
    """Who is visiting, with a transaction for what they do.

    Raises NotVisiting; for a form (`csrf` is given), also where it was not made by us for them.
    What a script asks for by itself is not `noted`: a visit ends without a click.
    """
    parts: Parts = request.app.state.parts
    token, now = request.cookies.get(sessions.COOKIE), parts.clock.now()
    async with parts.database.operator() as session:
        wanted = lang if lang in ("de", "en") else ""
        visitor = await sessions.visitor(session, token, now, wanted, noted=noted)
    if visitor is None or (csrf is not None and not sessions.is_ours(token, csrf)):
        raise NotVisiting
    async with parts.database.merchant(visitor.merchant_id) as session:
        visit = Visit(
            parts=parts,
            jobs=request.app.state.jobs,
            session=session,
            visitor=visitor,
            merchant=await session.get_one(Merchant, visitor.merchant_id),
            customer=await session.get_one(Customer, visitor.customer_id),
            now=now,
        )
        yield visit
    for conversation_id in visit.after:
        await parts.events.changed(visitor.merchant_id, conversation_id)


def respond(
    template: str,
    facts: Mapping[str, Any],
    language: str,
    form: str,
    merchant: Merchant | None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    leads_to: Sequence[str] = (),
) -> Response:
    """Render a page in a merchant's name; None where nobody knows yet whose page it is."""
    t = texts(language, form)
    look = merchant.page if merchant is not None else {}
    given = {
        "t": t,
        "visiting": False,
        "shop": merchant.name if merchant is not None else "",
        "merchant": merchant,
        "logo": look.get("logo") or "",
        "legal": f"?shop={merchant.key}" if merchant is not None else "",
        "brand": "",
        "money": lambda amount: money(amount, language),
        "day": lambda value: formats.day(value.isoformat(), language, short=False),
        "short_day": lambda value: formats.day(value.isoformat(), language, short=True),
        "number": lambda value: format_decimal(value, locale=formats.LOCALES[language]),
        "grouped": formats.grouped,
        "phrase": lambda group, code: load_catalogue().phrase(group, code, language, form),
        **facts,
    }
    return pages.respond(
        template,
        given,
        language=language,
        status=status,
        brand=accent_css(look.get("colour") or ""),
        headers=headers,
        leads_to=leads_to,
    )


def money(amount: Money, language: str) -> str:
    """An amount as people write it."""
    return str(formats.money(amount.to_json(), language))


def go(path: str) -> Response:
    """On to another page, by GET."""
    return RedirectResponse(path, 303)


def language_of(request: Request, lang: str, default: str = "de") -> str:
    """What somebody reads of whom nothing is known yet."""
    return wanted_language(lang, request.headers.get("accept-language", ""), default)


def chosen(views: Sequence[ClaimView], ids: Sequence[int]) -> list[ClaimView]:
    """The payable ones among the picked claims; all payable ones where none was picked."""
    payable = [one for one in views if one.payable]
    return [one for one in payable if one.id in ids] or payable
