"""Settlement: earned here, spent there, the window is closed, and every party has one amount."""

import asyncio
import csv
import io
from typing import Any

import pypdfium2
import pytest

from cluster import plan, processes
from peyvand import Conflict, Status, requests, statement_sha256
from peyvand.operators import every

from .load import until_answered
from .participants import (
    EARN_PER_RIAL,
    FEE_BP,
    NETWORK,
    PRICE_RIAL,
    Member,
    Participants,
    Shop,
    Till,
    now,
    until,
)
from .street import redemption, refund

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300)]


async def open_window(participants: Participants) -> int:
    """The number of the open window; the first opens some seconds after the platform."""
    page = await until(lambda: participants.operator.windows(), lambda page: bool(page.items))
    assert page.items[0]["state"] == "open"
    return int(page.items[0]["window"])


async def close(participants: Participants) -> dict[str, Any]:
    """Cut the open window once the one before is closed, and wait until it is closed."""
    window = await open_window(participants)

    async def cut() -> dict[str, Any]:
        try:
            return await participants.operator.cut_window(window)
        except Conflict:  # the window before is still closing
            return {"state": ""}

    return await until(cut, lambda shown: shown["state"] == "closed")


async def positions(participants: Participants, window: int) -> dict[int, dict[str, int]]:
    """Net positions of all parties."""
    listed = every(lambda after: participants.operator.window_positions(window, after))
    return {
        one["party"]: {name: int(rial) for name, rial in one.items() if name != "party"}
        async for one in listed
    }


async def nets_of_book(participants: Participants, vector: dict[str, int]) -> dict[int, int]:
    """What the ledger's own positions as of a vector come to, by party, without zeros."""
    nets: dict[int, int] = {}
    after: str | None = None
    while True:
        page = await participants.operator.positions(after, as_of=vector)
        for row in page["items"]:
            owed = int(row["owed_rial"])
            nets[row["debtor"]] = nets.get(row["debtor"], 0) - owed
            nets[row["creditor"]] = nets.get(row["creditor"], 0) + owed
        after = page["next"]
        if after is None:
            return {party: rial for party, rial in nets.items() if rial}


async def is_whole(participants: Participants, closed: dict[str, Any]) -> dict[int, dict[str, int]]:
    """A closed window agrees with itself and with the book; its positions."""
    window = closed["window"]
    shown = await positions(participants, window)
    for column in ("position_rial", "fee_rial", "corrections_rial", "paid_rial", "closing_rial"):
        assert sum(one[column] for one in shown.values()) == 0, column
    unpaid = {party: one["closing_rial"] for party, one in shown.items() if one["closing_rial"]}
    booked = await nets_of_book(participants, closed["vector"])
    async for one in every(participants.operator.disputes):
        for party in (one["opener"], one["respondent"]):  # of whom the book lacks corrections
            unpaid.pop(party, None)
            booked.pop(party, None)
    assert unpaid == booked
    assert (await participants.operator.reconciliation(window))["differences"] == []
    return shown


async def two_shops(participants: Participants) -> tuple[Till, Till]:
    """Two merchants of parties that have no history, a till of each."""
    issuer: Shop = await participants.open_shop("mill")
    acceptor: Shop = await participants.open_shop("tea house", redeem_max_share_bp=5_000)
    return await participants.till(issuer), await participants.till(acceptor)


async def shopper(participants: Participants, till: Till, points: int) -> Member:
    """Somebody with so many points of the till's merchant."""
    member, rial = await participants.member(), points * EARN_PER_RIAL
    sold = requests.purchase(till.name(), member.card, amount_rial=rial, occurred_at=now())
    assert (await until_answered(till, sold)).points_earned == points
    return member


@pytest.mark.SH14
async def test_earned_here_spent_there_and_settled_by_window(participants: Participants) -> None:
    mill, tea = await two_shops(participants)
    issuer, acceptor = mill.shop.party, tea.shop.party
    member = await shopper(participants, mill, 1_000)
    spent = await until_answered(tea, redemption(tea, member, 200_000, points=600))
    claim = 600 * PRICE_RIAL
    fee = claim * FEE_BP // 10_000

    first = await close(participants)

    shown = await is_whole(participants, first)
    assert shown[issuer]["position_rial"] == -claim
    assert shown[acceptor]["position_rial"] == claim - fee
    assert shown[acceptor]["fee_rial"] == fee
    await statements_lead_to(participants, first["window"], tea, spent.id, (issuer, claim, fee))

    back = await until_answered(tea, refund(tea, spent))
    assert back.points_restored == 600
    second = await close(participants)

    shown = await is_whole(participants, second)
    assert second["window"] == first["window"] + 1
    assert shown[issuer]["position_rial"] == claim  # a window that is closed stays as it is
    assert shown[acceptor]["position_rial"] == fee - claim
    assert (shown[acceptor]["opening_rial"], shown[acceptor]["closing_rial"]) == (claim - fee, 0)
    assert await positions(participants, first["window"]) != shown


async def statements_lead_to(
    participants: Participants,
    window: int,
    acceptor: Till,
    transaction: str,
    figures: tuple[int, int, int],
) -> None:
    """The acceptor's statement, as its own reader and as a file has it, leads to a transaction."""
    issuer, claim, fee = figures
    shop, operator = acceptor.shop, participants.operator
    told = await operator.merchant_statement(shop.merchant, window)
    lines = {(one["side"], one["counterparty"]): one for one in told["lines"]}
    assert lines.keys() == {("claim", issuer), ("due", NETWORK)}
    assert lines["claim", issuer]["effect_rial"] == str(claim)
    assert lines["due", NETWORK]["effect_rial"] == str(-fee)
    staffs = await operator.party_statement(window, shop.party)
    assert staffs["closing_rial"] == told["closing_rial"] == str(claim - fee)
    behind = await operator.merchant_transactions(
        shop.merchant, window, side="claim", counterparty=issuer
    )
    assert [one["transaction"] for one in behind.items] == [transaction]
    (entry,) = behind.items
    assert (await operator.booking(transaction))["id"] == transaction
    proof = await operator.inclusion_proof(entry["shard"], entry["sequence"])
    assert proof["index"] == entry["sequence"] - 1
    text = await operator.merchant_statement_csv(shop.merchant, window)
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert sum(int(row[-1]) for row in rows[1:-1]) == int(rows[-1][-1]) == claim - fee
    paper = await operator.merchant_statement_pdf(shop.merchant, window)
    assert paper == await operator.party_statement_pdf(window, shop.party)
    (page,) = pypdfium2.PdfDocument(paper)
    assert statement_sha256([told]) in page.get_textpage().get_text_range()


@pytest.mark.SH14
async def test_a_service_that_is_killed_while_a_window_closes_goes_on(
    participants: Participants, cluster: plan.Cluster
) -> None:
    mill, tea = await two_shops(participants)
    member = await shopper(participants, mill, 100)
    for _ in range(3):
        await until_answered(tea, redemption(tea, member, 20_000, points=20))
        window = await open_window(participants)
        cut = await participants.operator.cut_window(window)
        assert cut["state"] in ("closing", "closed")
        await asyncio.to_thread(processes.kill, cluster, "merchants")
        await asyncio.to_thread(processes.start, cluster, "merchants")

        async def closed(window: int = window) -> dict[str, Any]:
            return await participants.operator.window(window)

        shown = await until(closed, lambda one: one["state"] == "closed")
        netted = await is_whole(participants, shown)
        assert netted[tea.shop.party]["claims_rial"] == 20 * PRICE_RIAL


@pytest.mark.SH14
async def test_nothing_is_refused_and_nothing_lost_while_windows_are_cut(
    participants: Participants,
) -> None:
    """Tills go on selling across cuts: the windows' claims are those of all sales."""
    mill, tea = await two_shops(participants)
    members = [await shopper(participants, mill, 100) for _ in range(4)]
    first = await open_window(participants)
    windows: list[int] = []

    async def spend(number: int) -> None:
        for _ in range(5):
            answer = await until_answered(tea, redemption(tea, members[number], 20_000, points=20))
            assert answer.status is Status.COMPLETED, answer

    async def cut() -> None:
        for _ in range(3):
            windows.append((await close(participants))["window"])

    async with asyncio.TaskGroup() as together:
        for number in range(len(members)):
            together.create_task(spend(number))
        together.create_task(cut())
    last = await close(participants)
    claims = 0
    for window in range(first, last["window"] + 1):
        shown = await is_whole(participants, await participants.operator.window(window))
        claims += shown.get(tea.shop.party, {}).get("claims_rial", 0)
    assert claims == 4 * 5 * 20 * PRICE_RIAL
    assert len(set(windows)) == 3
