"""The sandbox provider: pages and notices that only it can have made."""

from datetime import UTC, datetime, timedelta

import pytest

from api.payments.provider import Checkout, Notice, NoticeForged, NoticeKind
from api.payments.sandbox import SIGNATURE, SandboxProvider
from ledger.money import Money

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
CHECKOUT = Checkout("ref-1", Money(84_90), "Lindenhof – Rechnung", "de", "/p/a?x=1", "/p/a")
NOTICE = Notice("evt_1", NoticeKind.PAID, NOW, "ref-1", "pay_1", Money(84_90))


def provider(secret: str = "s", now: datetime = NOW) -> SandboxProvider:
    return SandboxProvider(
        secret=secret, base_url="http://shop.example/", merchant="lindenhof", now=lambda: now
    )


async def test_a_page_says_what_was_asked_for() -> None:
    started = await provider().start(CHECKOUT)
    again = await provider().start(CHECKOUT)
    assert started == again
    session = provider().session(started.url.rpartition("/")[2])
    assert (session.checkout, session.merchant) == (CHECKOUT, "lindenhof")


@pytest.mark.parametrize("token", ["", ".", "abc.def", "e30.", "ü.ü"])
async def test_addresses_that_it_did_not_make_are_refused(token: str) -> None:
    with pytest.raises(NoticeForged):
        provider().session(token)
    made = (await provider("another").start(CHECKOUT)).url.rpartition("/")[2]
    with pytest.raises(NoticeForged):
        provider().session(made)


def test_its_notices_are_read_and_no_others() -> None:
    headers, body = provider().signed(NOTICE)
    assert provider().read(headers, body) == NOTICE
    late = provider(now=NOW + timedelta(minutes=6))
    for reader, given in (
        (provider("another"), headers),
        (late, headers),
        (provider(), {}),
        (provider(), {SIGNATURE: "t=,v1="}),
        (provider(), {SIGNATURE: "v1=00"}),
    ):
        with pytest.raises(NoticeForged):
            reader.read(given, body)
    with pytest.raises(NoticeForged):
        provider().read(headers, body.replace(b"8490", b"1"))
