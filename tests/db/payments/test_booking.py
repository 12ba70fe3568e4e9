"""What notices do to the books: once each, whatever order they come in."""

import asyncio
from itertools import permutations

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import TimeoutError as PoolTimeout
from tenacity import retry, retry_if_exception_type, wait_random

from api.payments.booking import AmountAboveOpen
from api.payments.provider import Notice, NoticeKind
from ledger import book
from ledger.agreements import Promise
from ledger.claim import ClaimStatus
from ledger.errors import AmountNotPositive, ClaimInDispute, ClaimNotOpen, ClaimUnknown
from ledger.money import Money
from storage.tables import AuditEvent, Claim, Customer, Payment, PaymentNotice
from storage.tables import Posting as PostingRow
from tests.conftest import NOW
from tests.db.payments.conftest import Till


async def test_money_that_came_settles_what_was_chosen(till: Till) -> None:
    payment = await till.begin(c1=84_90, c2=5_00)
    assert (await till.open(1)).total == Money(84_90)  # begun is not paid
    taken = await till.tell(payment, NoticeKind.PAID)
    assert taken.claim_ids == tuple(till.claims)
    assert (await till.open(1)).total == Money(0)
    assert (await till.open(2)).total == Money(15_00)
    assert await till.status(payment) == "paid"
    async with till.database.merchant(till.merchant.id) as session:
        claim = await session.get_one(Claim, till.claims[0])
        assert claim.status == ClaimStatus.SETTLED


async def test_the_same_notice_three_times_is_booked_once(till: Till) -> None:
    payment = await till.begin(c1=84_90)
    notice = till.notice(payment, NoticeKind.PAID)
    for _ in range(3):
        await till.take(notice)
    assert (await till.open(1)).overpaid == Money(0)
    # Another notice that says the same: the provider's own tools can send an event anew.
    await till.tell(payment, NoticeKind.PAID)
    assert (await till.open(1)).overpaid == Money(0)


@retry(retry=retry_if_exception_type(PoolTimeout), wait=wait_random(max=1))
async def delivered(till: Till, notice: Notice) -> None:
    """A provider delivers again what was answered with 503, as the webhook does then."""
    await till.take(notice)


async def test_fifty_payments_with_three_callbacks_each_are_booked_once_each(till: Till) -> None:
    payments = [await till.begin(c1=1_00, c2=20) for _ in range(50)]
    notices = [till.notice(payment, NoticeKind.PAID) for payment in payments]
    await asyncio.gather(*(delivered(till, notice) for notice in notices * 3))
    assert (await till.open(1)).total == Money(34_90)
    assert (await till.open(2)).total == Money(10_00)
    async with till.database.merchant(till.merchant.id) as session:
        for claim_id in till.claims:
            await book.statement(session, claim_id)  # the chain verifies
        posted = await session.scalar(select(func.count()).where(PostingRow.kind == "payment"))
        assert posted == 100


async def test_paying_in_two_windows_is_kept_as_overpaid(till: Till) -> None:
    first, second = await till.begin(c1=84_90), await till.begin(c1=84_90)
    await till.tell(first, NoticeKind.PAID)
    await till.tell(second, NoticeKind.PAID)
    assert (await till.open(1)).overpaid == Money(84_90)
    await till.tell(second, NoticeKind.REFUNDED)
    assert (await till.open(1)).overpaid == Money(0)
    assert (await till.open(1)).total == Money(0)
    assert await till.status(second) == "returned"


async def test_an_old_amount_that_is_paid_later_pays_as_far_as_it_goes(till: Till) -> None:
    payment = await till.begin(c1=84_90)
    async with till.database.merchant(till.merchant.id) as session:
        await book.post_payment(
            session, till.claims[0], Money(30_00), value_date=NOW.date(), now=NOW, key="transfer"
        )
    await till.tell(payment, NoticeKind.PAID)
    balance = await till.open(1)
    assert (balance.total, balance.overpaid) == (Money(0), Money(30_00))


async def test_a_direct_debit_takes_days_and_may_fail(till: Till) -> None:
    payment = await till.begin(c1=84_90)
    await till.tell(payment, NoticeKind.PENDING)
    assert await till.status(payment) == "pending"
    assert (await till.open(1)).total == Money(84_90)
    await till.tell(payment, NoticeKind.FAILED)
    assert await till.status(payment) == "failed"
    assert (await till.open(1)).total == Money(84_90)
    async with till.database.merchant(till.merchant.id) as session:
        assert await session.scalar(select(func.count()).where(AuditEvent.kind == "payment_failed"))


@pytest.mark.parametrize("kind", [NoticeKind.FAILED, NoticeKind.EXPIRED])
async def test_money_that_comes_after_all_is_booked(till: Till, kind: NoticeKind) -> None:
    payment = await till.begin(c1=84_90)
    await till.tell(payment, kind)
    await till.tell(payment, NoticeKind.PAID)
    assert await till.status(payment) == "paid"
    assert (await till.open(1)).total == Money(0)


async def test_a_late_failure_of_what_is_paid_changes_nothing(till: Till) -> None:
    payment = await till.begin(c1=84_90)
    await till.tell(payment, NoticeKind.PAID)
    await till.tell(payment, NoticeKind.EXPIRED)
    await till.tell(payment, NoticeKind.PENDING)
    assert await till.status(payment) == "paid"


async def test_what_the_bank_calls_back_is_open_again_and_its_agreement_with_it(till: Till) -> None:
    async with till.database.merchant(till.merchant.id) as session:
        agreed = await book.agree(
            session,
            till.claims[0],
            Promise(Money(84_90), NOW.date()),
            now=NOW,
            key="promise",
            guard=lambda terms, facts: None,
        )
    payment = await till.begin(c1=84_90)
    await till.tell(payment, NoticeKind.PAID)
    await till.tell(payment, NoticeKind.CHARGED_BACK, case="dp_1")
    assert (await till.open(1)).total == Money(84_90)
    assert await till.status(payment) == "returned"
    async with till.database.merchant(till.merchant.id) as session:
        active = await book.active_agreement(session, till.claims[0])
        assert active is not None
        assert active.id == agreed.id
    await till.tell(payment, NoticeKind.CHARGEBACK_WON, case="dp_1")
    assert (await till.open(1)).total == Money(0)
    assert await till.status(payment) == "paid"


async def test_refunds_are_told_as_a_growing_sum(till: Till) -> None:
    payment = await till.begin(c1=84_90, c2=20_00)
    await till.tell(payment, NoticeKind.PAID)
    await till.tell(payment, NoticeKind.REFUNDED, 5_00)
    await till.tell(payment, NoticeKind.REFUNDED, 25_00)
    assert ((await till.open(1)).total, (await till.open(2)).total) == (Money(5_00), Money(20_00))
    await till.tell(payment, NoticeKind.REFUNDED, 104_90)
    assert ((await till.open(1)).total, (await till.open(2)).total) == (Money(84_90), Money(20_00))
    assert await till.status(payment) == "returned"


async def test_refunded_and_called_back_takes_the_money_once(till: Till) -> None:
    payment = await till.begin(c1=84_90)
    await till.tell(payment, NoticeKind.PAID)
    await till.tell(payment, NoticeKind.REFUNDED)
    await till.tell(payment, NoticeKind.CHARGED_BACK, case="dp_1")
    assert (await till.open(1)).total == Money(84_90)


ORDERS = list(permutations(range(4)))


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: "".join(map(str, order)))
async def test_any_order_of_the_notices_ends_the_same(till: Till, order: tuple[int, ...]) -> None:
    payment = await till.begin(c1=84_90)
    story: list[Notice] = [
        till.notice(payment, NoticeKind.PENDING),
        till.notice(payment, NoticeKind.PAID),
        till.notice(payment, NoticeKind.CHARGED_BACK, case="dp_1"),
        till.notice(payment, NoticeKind.CHARGEBACK_WON, case="dp_1"),
    ]
    for place in order:
        await till.take(story[place])
    balance = await till.open(1)
    assert (balance.total, balance.overpaid) == (Money(0), Money(0))
    assert await till.status(payment) == "paid"
    async with till.database.merchant(till.merchant.id) as session:
        waiting = select(func.count()).where(PaymentNotice.applied_at.is_(None))
        assert await session.scalar(waiting) == 0


async def test_a_notice_about_nothing_we_know_is_kept(till: Till) -> None:
    payment = await till.begin(c1=84_90)
    unknown = Notice("evt_x", NoticeKind.PAID, NOW, reference="nobody", amount=Money(1_00))
    taken = await till.take(unknown)
    assert taken.payment_id is None
    assert await till.status(payment) == "started"
    async with till.database.merchant(till.merchant.id) as session:
        assert await session.scalar(select(func.count()).select_from(PaymentNotice)) == 1


async def test_another_currency_is_not_booked(till: Till) -> None:
    payment = await till.begin(c1=84_90)
    await till.take(
        Notice("e", NoticeKind.PAID, NOW, reference=payment.reference, amount=Money(1, "USD"))
    )
    assert (await till.open(1)).total == Money(84_90)
    assert await till.status(payment) == "started"


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ({}, ClaimUnknown),
        ({"c1": 0}, AmountNotPositive),
        ({"c1": -5}, AmountNotPositive),
        ({"c1": 84_91}, AmountAboveOpen),
        ({"c1": 10_00, "c2": 20_01}, AmountAboveOpen),
    ],
)
async def test_amounts_that_do_not_fit_are_refused(
    till: Till, parts: dict[str, int], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await till.begin(**parts)
    async with till.database.merchant(till.merchant.id) as session:
        assert await session.scalar(select(func.count()).select_from(Payment)) == 0


async def test_disputed_settled_and_other_peoples_claims_are_refused(till: Till) -> None:
    async with till.database.merchant(till.merchant.id) as session:
        await book.dispute(session, till.claims[0], "returned", now=NOW)
        await book.post_payment(
            session, till.claims[1], Money(20_00), value_date=NOW.date(), now=NOW, key="paid"
        )
    with pytest.raises(ClaimInDispute):
        await till.begin(c1=1_00)
    with pytest.raises(ClaimNotOpen):
        await till.begin(c2=1_00)
    async with till.database.operator() as session:
        other = Customer(
            merchant_id=till.merchant.id,
            number="K-1002",
            name="Muster",
            created_at=NOW,
            updated_at=NOW,
        )
        session.add(other)
    stranger = Till(till.database, till.merchant, other, till.claims)
    with pytest.raises(ClaimUnknown):
        await stranger.begin(c1=1_00)
