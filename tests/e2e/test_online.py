"""An online shop: its orders through the whole platform, answered once, taken back anywhere."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from peyvand import (
    Answered,
    Forbidden,
    NameReused,
    OrderReference,
    Original,
    Redeem,
    RefundLine,
    Status,
    Transaction,
    original_named,
    requests,
)
from peyvand.operators import every

from .participants import PRICE_RIAL, Member, Participants, Till, answer_of, now, until
from .street import Street

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300), pytest.mark.NH13, pytest.mark.NH14]


class Shop:
    """A merchant on the web with two servers, each under a key of its own, and a till."""

    def __init__(self, participants: Participants, one: Till, two: Till, till: Till) -> None:
        self.participants, self.one, self.two, self.till = participants, one, two, till

    def name(self, order: str, operation: str = "purchase") -> OrderReference:
        """A name of this run's; order: text after the run's own number."""
        return OrderReference(self.one.shop.merchant, f"{self.one.terminal}/{order}", operation)

    def purchase(self, order: str, member: Member, amount_rial: int) -> Transaction:
        """An order of so much, now."""
        return requests.purchase(
            self.name(order), member.card, amount_rial=amount_rial, occurred_at=now()
        )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def online(participants: Participants) -> AsyncIterator[Shop]:
    """The shop, open."""
    shop = await participants.open_shop("online books")
    one = await participants.till(shop, online=True)
    yield Shop(
        participants, one, await participants.other_server(one), await participants.till(shop)
    )


async def names_posted(online: Shop, name: OrderReference) -> list[str]:
    """Names of an order that have an outcome, on whatever shard."""
    text = f"o.{name.merchant}.{name.order.replace('/', '%2F')}."
    rows = await online.participants.rows(
        "ledger", "select name from outcomes where starts_with(name, $1)", text
    )
    return sorted(row["name"].removeprefix(text) for row in rows)


async def test_an_order_counts_once_whoever_sends_it_and_however_it_is_typed(online: Shop) -> None:
    member = await online.participants.member()
    request = online.purchase("77", member, 500_000)
    first = await online.one.client.submit(request)
    assert isinstance(first, Answered)
    answer = answer_of(first)
    assert (answer.status, answer.points_earned) == (Status.COMPLETED, 500)
    name = request.order_name
    assert answer.id == f"{member.shard}.o.{name.merchant}.{online.one.terminal}%2F77.purchase"

    persian = name.order.replace("77", "۷۷")
    typed = Transaction(
        **name._replace(order=persian)._asdict(),
        kind=request.kind,
        occurred_at=request.occurred_at,
        identifier=request.identifier,
        amount_rial=request.amount_rial,
    )
    for client, again in ((online.two.client, request), (online.one.client, typed)):
        heard = await client.submit(again)
        assert isinstance(heard, Answered)
        assert heard.body == first.body
    assert (await online.participants.balance(member))["points"] == 500
    assert await names_posted(online, name) == ["purchase"]

    found = await online.two.client.status(answer.id)
    assert found is not None
    assert found.first_answer_body == first.body

    with pytest.raises(NameReused):
        await online.two.client.submit(online.purchase("77", member, 500_001))
    assert (await online.participants.balance(member))["points"] == 500


async def test_an_order_is_paid_with_points_and_taken_back_by_name(online: Shop) -> None:
    member = await online.participants.shopper(online.one, 300)
    asked = Redeem(points=100)
    at = now()
    spent = requests.redemption(
        online.name("80"), member.card, asked, amount_rial=900_000, occurred_at=at
    )
    answer = answer_of(await online.one.client.submit(spent))
    assert (answer.points_redeemed, answer.discount_rial) == (100, 100 * PRICE_RIAL)

    back = requests.reversal(
        online.name("80", "undo"),
        original_named(spent.order_name, at),
        occurred_at=now(),
        identifier=member.card,
    )
    undone = answer_of(await online.two.client.submit(back))
    assert (undone.status, undone.points_restored) == (Status.COMPLETED, 100)
    assert (await online.participants.balance(member))["points"] == 300
    found = await online.one.client.status(answer.id)
    assert found is not None
    assert found.current.status == "reversed"


async def test_part_of_an_order_is_taken_back_twice_online_and_once_at_a_till(
    online: Shop,
) -> None:
    member = await online.participants.member()
    sold = answer_of(await online.one.client.submit(online.purchase("90", member, 600_000)))
    lines = (RefundLine(line=1, amount_rial=100_000),)
    for number in (1, 2):
        name = online.name("90", f"refund-{number}")
        request = requests.refund(name, Original(id=sold.id), occurred_at=now(), lines=lines)
        answer = answer_of(await online.one.client.submit(request))
        assert answer.points_clawed_back == 100
    at_till = requests.refund(
        online.till.name(), Original(id=sold.id), occurred_at=now(), lines=lines
    )
    assert (await online.till.send(at_till)).points_clawed_back == 100
    assert (await online.participants.balance(member))["points"] == 300
    assert await names_posted(online, online.name("90")) == ["purchase", "refund-1", "refund-2"]


async def test_another_merchants_key_cannot_send_or_see_an_order(
    online: Shop, street: Street
) -> None:
    member = await online.participants.member()
    request = online.purchase("95", member, 100_000)
    with pytest.raises(Forbidden) as refused:
        await street.grocer.client.submit(request)
    assert refused.value.code == "merchant-mismatch"
    assert await names_posted(online, request.order_name) == []
    answer = answer_of(await online.one.client.submit(request))
    with pytest.raises(Forbidden) as refused:
        await street.grocer.client.status(answer.id)
    assert refused.value.code == "not-your-transaction"


async def test_a_till_of_the_merchant_reverses_no_order_come_or_not(online: Shop) -> None:
    """Else one stolen key of a chain refuses its online shop's orders for ever (findings A12)."""
    member = await online.participants.member()
    come, at = online.purchase("96", member, 100_000), now()
    sold = answer_of(await online.one.client.submit(come))
    still = online.purchase("97", member, 100_000)
    for name in (come.order_name, still.order_name):
        wish = requests.reversal(
            online.till.name(),
            original_named(name, at),
            occurred_at=now(),
            identifier=member.card,
        )
        with pytest.raises(Forbidden) as refused:
            await online.till.client.submit(wish)
        assert refused.value.code == "reversal-of-another-terminal"
    late = answer_of(await online.two.client.submit(still))
    assert (sold.status, late.status) == (Status.COMPLETED, Status.COMPLETED)


async def test_an_order_on_two_shards_is_raised_whichever_keys_sent_it(online: Shop) -> None:
    member = await online.participants.member()
    other = await online.participants.member_elsewhere(member.shard)
    request = online.purchase("99", member, 100_000)
    answer = answer_of(await online.one.client.submit(request))
    elsewhere = online.purchase("99", other, 100_000)
    second = answer_of(await online.two.client.submit(elsewhere))
    assert second.id != answer.id
    name = answer.id.partition(".")[2]

    async def raised() -> list[str]:
        alerts = every(online.participants.reviewer.fraud_alerts)
        return [a["kind"] async for a in alerts if a["name"] == name]

    assert await until(raised) == ["name-with-two-payloads"]
