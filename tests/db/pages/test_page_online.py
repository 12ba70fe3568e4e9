"""Paying online from the page: what is asked of the provider, and what is said afterwards."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from api.payments import booking
from api.payments.accounts import PaymentProviders
from api.payments.provider import Notice, NoticeKind
from ledger.money import Money
from storage.tables import Claim, Payment
from tests.conftest import NOW
from tests.db.pages.conftest import Visiting, words


@pytest.fixture
async def inside(visiting: Visiting) -> Visiting:
    """The customer, come in, in a demo."""
    visiting.parts.settings.demo = True
    await visiting.enter()
    return visiting


async def begun(inside: Visiting) -> list[Payment]:
    async with inside.parts.database.operator() as session:
        return list(await session.scalars(select(Payment).order_by(Payment.id)))


async def test_the_page_leads_to_the_provider_with_what_was_picked(inside: Visiting) -> None:
    first, second = (claim.id for claim in inside.claims)
    page = await inside.http.get("/p/pay", params={"claim": [first, second]})
    assert "182,50 € online bezahlen" in words(page)
    assert "Oder per Überweisung" in words(page)
    went = await inside.send("/p/online", claim=[first, second], provider="sandbox")
    (payment,) = await begun(inside)
    assert payment.parts == {str(first): 122_50, str(second): 60_00}
    token = went.headers["location"].removeprefix("https://kulanz.example/sandbox-payment/")
    providers: PaymentProviders = inside.http._transport.app.state.payments  # type: ignore[attr-defined]
    checkout = providers.sandbox().session(token).checkout
    assert checkout.amount == Money(182_50)
    assert checkout.description == "Lindenhof Versand, RE-2026-1044, RE-2026-1045"
    assert checkout.success_url.endswith(f"/p/online?payment={payment.reference}")


async def test_coming_back_says_what_the_provider_has_told(inside: Visiting) -> None:
    claim = inside.claims[1].id
    await inside.send("/p/online", claim=[claim], provider="sandbox")
    (payment,) = await begun(inside)

    async def back() -> str:
        gone = await inside.http.get("/p/online", params={"payment": payment.reference})
        return words(await inside.http.get(gone.headers["location"]))

    async def tell(number: int, kind: NoticeKind, amount: Money | None = None) -> None:
        async with inside.parts.database.operator() as session:
            notice = Notice(
                f"evt_{number}",
                kind,
                NOW + timedelta(minutes=number),
                reference=payment.reference,
                amount=amount,
            )
            await booking.take(session, inside.merchant.id, "sandbox", notice, NOW)

    assert "Wir warten noch auf die Bestätigung" in await back()
    await tell(1, NoticeKind.PENDING)
    assert "Die Zahlung ist unterwegs" in await back()
    await tell(2, NoticeKind.PAID, Money(60_00))
    assert "Danke, die Zahlung ist da" in await back()
    unknown = await inside.http.get("/p/online", params={"payment": "somebody-elses"})
    assert unknown.headers["location"] == "/p?done=online_failed"


async def test_nothing_is_begun_without_our_form_or_with_what_is_not_theirs(
    inside: Visiting,
) -> None:
    claim = inside.claims[0].id
    await inside.http.post("/p/online", data={"claim": claim, "provider": "sandbox", "csrf": "x"})
    await inside.send("/p/online", claim=[claim + 1000], provider="sandbox")
    await inside.send("/p/online", claim=[claim], provider="stripe")
    await inside.change(Claim, claim, status="disputed")
    await inside.send("/p/online", claim=[claim], provider="sandbox")
    assert await begun(inside) == []


async def test_without_a_provider_there_is_only_the_transfer(visiting: Visiting) -> None:
    await visiting.enter()
    page = await visiting.http.get("/p/pay")
    assert "online" not in words(page)
    assert "form-action 'self';" in page.headers["content-security-policy"]
