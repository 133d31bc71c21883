"""Stories of members, tills and operators: gifts, messages, cards, households, power cuts."""

import asyncio
import uuid
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from msgspec import structs

from cluster import plan, status
from cluster.processes import State
from peyvand import (
    Forbidden,
    HistoricPurchase,
    Identifier,
    Invalid,
    Line,
    NotFound,
    Status,
    Terminal,
    Unauthorized,
    models,
    requests,
)
from peyvand.terminal import Durability, Journal

from .participants import (
    EARN_PER_RIAL,
    GIFT_RIAL,
    NETWORK,
    Participants,
    answer_of,
    body_of,
    now,
    preview_of,
    until,
)
from .street import Street, owed, redemption, refund

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300)]


# ---------------------------------------------------------------------------------------- members


@pytest.mark.SH5
@pytest.mark.NH16
async def test_first_purchase_is_rewarded_told_and_taken_back(street: Street) -> None:
    participants, till = street.participants, street.grocer
    member = await participants.member()
    sold = await till.buy(member, 100_000)
    await until(lambda: participants.credit(member), lambda rial: rial == GIFT_RIAL)
    told = await until(lambda: participants.texts(member))
    assert len(told) == 1
    assert "۲۰٬۰۰۰ تومان اعتبار هدیه گرفتید" in told[0]

    await till.send(refund(till, sold))

    await until(lambda: participants.credit(member), lambda rial: rial == 0)
    await till.buy(member, 100_000)  # a count once taken is never given back
    await asyncio.sleep(1.0)
    assert await participants.credit(member) == 0
    back, *rest = await until(lambda: participants.texts(member), lambda texts: len(texts) == 2)
    assert "۲۰٬۰۰۰ تومان اعتبار هدیهٔ آن پس گرفته شد" in back
    assert rest == told


@pytest.mark.SH5
async def test_a_gift_that_was_spent_is_gone_with_the_purchase_that_justified_it(
    street: Street,
) -> None:
    """Findings F14: buy, spend the gift, refund the first sale, refund the second; S6: told of."""
    participants, till = street.participants, street.grocer
    member = await participants.member()
    sold = await till.buy(member, 100_000)
    await until(lambda: participants.credit(member), lambda rial: rial == GIFT_RIAL)
    spent = await till.send(redemption(till, member, 400_000, credit_rial=GIFT_RIAL))
    assert spent.points_earned == (400_000 - GIFT_RIAL) // EARN_PER_RIAL

    await till.send(refund(till, sold))
    back = await till.send(refund(till, spent))

    assert back.credit_restored_rial == GIFT_RIAL
    await until(lambda: participants.credit(member), lambda rial: rial == 0)
    told = await until(lambda: participants.texts(member), lambda texts: len(texts) == 3)
    (notice,) = [text for text in told if "تخفیف" in text]  # nobody asked for receipts
    assert "با ۲۰٬۰۰۰ تومان اعتبار" in notice


@pytest.mark.SH6
async def test_credit_is_spent_like_points_and_the_network_pays(street: Street) -> None:
    participants, baker = street.participants, street.baker.shop.party
    member = await participants.shopper(street.grocer, 10)
    before, _ = await owed(participants, NETWORK, baker)
    spent = await street.baker.send(
        redemption(street.baker, member, 400_000, credit_rial=GIFT_RIAL)
    )
    assert (spent.credit_redeemed_rial, spent.payable_rial) == (GIFT_RIAL, 400_000 - GIFT_RIAL)
    assert await owed(participants, NETWORK, baker) == (before + GIFT_RIAL, 0)


@pytest.mark.NH16
async def test_receipts_go_only_to_who_asked(street: Street) -> None:
    participants, till = street.participants, street.grocer
    asked = await participants.shopper(till, 100, receipts=True)
    silent = await participants.shopper(till, 100)
    for member in (asked, silent):
        await till.buy(member, 50_000)
    told = await until(lambda: participants.texts(asked), lambda texts: len(texts) == 3)
    assert sum("هدیه" in text for text in told) == 1
    assert sum("امتیاز گرفتید" in text for text in told) == 2
    gift = await until(lambda: participants.texts(silent))
    assert len(gift) == 1


async def test_a_card_added_to_an_account_is_told_to_its_holder(street: Street) -> None:
    """Whatever the consents say: whoever has the card spends the points (findings A10)."""
    participants = street.participants
    member = await participants.member()
    made = await participants.operator.put_card(member.member, str(uuid.uuid4()))
    (text,) = await until(lambda: participants.texts(member))
    last4 = made["last4"].translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
    assert text.startswith(f"پیوند: کارت …{last4} در ")
    assert "اگر کار شما نیست" in text


async def test_a_blocked_card_is_declined_and_the_phone_still_works(street: Street) -> None:
    participants, till = street.participants, street.grocer
    member = await participants.shopper(till, 50)
    await participants.operator.block_identifier(member.identifier_id)

    async def code() -> str:
        heard = await till.client.purchase(
            till.name(), member.card, amount_rial=20_000, occurred_at=now()
        )
        return answer_of(heard).code

    await until(code, lambda said: said == "identifier-blocked", step_s=1.0)
    heard = await till.client.purchase(
        till.name(), models.mobile(member.mobile), amount_rial=20_000, occurred_at=now()
    )
    assert answer_of(heard).status is Status.COMPLETED


async def change_standing(
    participants: Participants, account: int, standing: str
) -> dict[str, Any]:
    """Have an account stopped or opened, and give what the book made of it."""
    change = str(uuid.uuid4())
    asked: dict[str, Any] = {}
    for _ in range(2):  # sent twice it is one change
        asked = await participants.operator.put_standing(
            "accounts", account, change, standing=standing, reason="کارت دزدیده شد"
        )
    booked = await until(
        lambda: participants.operator.standing("accounts", account, change),
        lambda found: found["status"] != "pending",
    )
    assert (booked["change"], booked["version"]) == (change, asked["version"])
    return booked


async def test_a_stopped_account_spends_nothing_until_it_is_opened_again(street: Street) -> None:
    """Findings S11: nothing but one key after the other stopped a thief."""
    participants, baker = street.participants, street.baker
    member = await participants.shopper(street.grocer, 300)
    stopped = await change_standing(participants, member.account, "stopped")
    assert (stopped["status"], stopped["code"], stopped["version"]) == ("completed", "", 1)
    again = await change_standing(participants, member.account, "stopped")
    assert (again["status"], again["code"]) == ("completed", "standing-unchanged")

    refused = await baker.send(redemption(baker, member, 100_000, points=100))
    assert (refused.status, refused.code) == (Status.DECLINED, "account-frozen")
    assert "این حساب مسدود است" in refused.reasons[0].fa
    await street.grocer.buy(member, 50_000)  # what it earns is booked
    assert (await participants.balance(member))["points"] == 350

    await change_standing(participants, member.account, "open")
    spent = await baker.send(redemption(baker, member, 100_000, points=100))
    assert (spent.status, spent.points_redeemed) == (Status.COMPLETED, 100)
    page = await participants.operator.standings("accounts", member.account)
    assert (page["standing"], [one["standing"] for one in page["items"]]) == (
        "open",
        ["open", "stopped", "stopped"],
    )
    with pytest.raises(NotFound) as unknown:
        await change_standing(participants, 2**52, "stopped")
    assert unknown.value.code == "not-found"


async def test_a_stopped_party_issues_nothing_and_its_points_are_still_spent(
    participants: Participants,
) -> None:
    shop = await participants.open_shop("stopped party")
    till = await participants.till(shop)
    member = await participants.shopper(till, 100)
    for standing, earned in (("stopped", 0), ("open", 50)):
        change = str(uuid.uuid4())
        await participants.operator.put_standing(
            "parties", shop.party, change, standing=standing, reason="بدهی پرداخت نشده"
        )
        booked = await until(
            partial(participants.operator.standing, "parties", shop.party, change),
            lambda found: found["status"] != "pending",
        )
        assert booked["status"] == "completed"
        assert (await till.buy(member, 50_000)).points_earned == earned
        spent = await till.send(redemption(till, member, 50_000, points=50))
        assert (spent.status, spent.points_redeemed) == (Status.COMPLETED, 50)


async def test_a_partners_history_goes_to_its_own_customers(street: Street) -> None:
    """Two partners number their customers alike: neither books into the other's accounts."""
    participants, reference = street.participants, f"c-{uuid.uuid4().hex[:12]}"
    owners = (street.grocer.shop, street.baker.shop)
    people = [await participants.enrol(external=reference, party=shop.party) for shop in owners]
    assert people[0].account != people[1].account
    with pytest.raises(Invalid) as alone:
        await participants.enrol(external=reference)
    assert alone.value.code == "external-without-party"

    amounts = (1_000_000, 7_000_000)
    sales = [
        HistoricPurchase(
            merchant=shop.merchant,
            transaction=f"h-{reference}",
            identifier=Identifier(external=reference),
            occurred_at=now() - timedelta(days=1),
            amount_rial=amount_rial,
        )
        for shop, amount_rial in zip(owners, amounts, strict=True)
    ]
    for bought, amount_rial in zip(sales, amounts, strict=True):
        for _ in range(2):
            answer = answer_of(await participants.operator.post_history(bought))
            assert (answer.status, answer.points_earned) == (Status.COMPLETED, amount_rial // 1_000)

    assert [(await participants.balance(one))["points"] for one in people] == [1_000, 7_000]
    with pytest.raises(Invalid) as nobody:
        strange = Identifier(external=f"{reference}-x")
        await participants.operator.post_history(structs.replace(sales[-1], identifier=strange))
    assert nobody.value.code == "unknown-identifier"


async def test_a_household_shares_an_account(street: Street) -> None:
    participants, till = street.participants, street.grocer
    parent = await participants.shopper(till, 200)
    child = await participants.member(account=parent.account)
    assert (child.account, child.shard) == (parent.account, parent.shard)
    spent = await street.baker.send(redemption(street.baker, child, 100_000, points=150))
    assert spent.status is Status.COMPLETED
    assert (await participants.balance(parent))["points"] == 50 + spent.points_earned


async def test_a_card_that_is_bound_anew_means_the_old_account_until_then(street: Street) -> None:
    participants, till = street.participants, street.grocer
    old, heir = await participants.shopper(till, 50), await participants.member()
    soon = {"account": heir.account, "member": heir.member}
    with pytest.raises(Invalid):
        at = (now() + timedelta(seconds=60)).isoformat()
        await participants.operator.rebind_identifier(
            old.identifier_id, str(uuid.uuid4()), soon | {"from_at": at}
        )
    later = (now() + timedelta(minutes=30)).isoformat()
    await participants.operator.rebind_identifier(
        old.identifier_id, str(uuid.uuid4()), soon | {"from_at": later}
    )
    await till.buy(old, 30_000)
    assert (await participants.balance(old))["points"] == 80


async def test_an_inquiry_leaves_nothing(street: Street) -> None:
    till = await street.participants.till(street.grocer.shop)
    member = await street.participants.shopper(till, 500)
    before = await street.participants.balance(member)
    posted = await street.participants.names_posted(till.terminal)

    heard = await till.client.inquire(
        till.name(), member.card, amount_rial=90_000, occurred_at=now(),
        lines=(Line(line=1, amount_rial=60_000), Line(line=2, amount_rial=30_000)),
    )  # fmt: skip

    preview = preview_of(heard)
    assert [(line.line, line.points) for line in preview.lines] == [(1, 60), (2, 30)]
    assert preview.balance.points == 500
    assert preview.would_earn_points == 90
    assert preview.redeemable_points == 500
    assert await street.participants.balance(member) == before
    assert await street.participants.names_posted(till.terminal) == posted
    assert await till.client.status(preview.id) is None


# ------------------------------------------------------------------------------- tills, operators


async def test_a_till_that_lost_power_sends_what_it_had_written_down(
    street: Street, tmp_path: Any
) -> None:
    participants = street.participants
    member = await participants.member()
    till = await participants.till(street.grocer.shop)

    def simulated() -> Terminal:
        journal = Journal(tmp_path / "till.sqlite", durability=Durability.PROCESS_CRASH)
        return Terminal(till.client, journal, terminal=till.terminal, epoch=till.epoch, now=now)

    before = simulated()
    written = before.prepare(
        models.Kind.PURCHASE,
        lambda name: requests.purchase(name, member.card, amount_rial=60_000, occurred_at=now()),
    )
    first = await before.send(written)
    before.journal.close()

    after = simulated()
    again = await after.send(written)
    await after.purchase(member.card, amount_rial=40_000)
    after.journal.close()
    assert body_of(again) == body_of(first)
    assert (await participants.balance(member))["points"] == 100
    assert len(await participants.names_posted(till.terminal)) == 2


async def test_make_status_sees_every_process_its_lag_and_its_rate(
    street: Street, cluster: plan.Cluster
) -> None:
    await street.grocer.buy(await street.participants.member(), 20_000)
    seen = await asyncio.to_thread(status.processes.look, cluster)
    assert {s.name for s in seen} == {*plan.SERVERS, *plan.PROGRAMS}
    assert {s.state for s in seen} == {State.READY}
    assert all(s.port and s.pid and s.memory_bytes for s in seen)
    lags = await until(lambda: asyncio.to_thread(status.lags, cluster))
    assert {"fraud", "campaigns", "ledger"} <= {lag.group.partition("-")[0] for lag in lags}
    rates = await asyncio.to_thread(status.rates, cluster, [plan.GATEWAY])
    assert rates[0].requests_per_s >= 0


async def test_other_merchants_see_nothing_of_a_transaction(street: Street) -> None:
    sold = await street.grocer.buy(await street.participants.member(), 20_000)
    with pytest.raises(Forbidden):
        await street.baker.client.status(sold.id)
    with pytest.raises(Unauthorized):
        await street.participants.client("pvt_1_a_b").status(sold.id)
