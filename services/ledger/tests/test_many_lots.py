"""Accounts that strangers filled with small lots: the same outcomes, for what a command needs."""

import random
from datetime import timedelta

import pytest

from contracts.ledger import Inquire, Offer
from contracts.value import RedemptionTerms, SpendValue
from contracts.values import Unit, till_name
from ledger.book.facts import LOTS_PER_COMMAND_MAX
from ledger.posting import usecases
from ledger.posting.decide import inquiry as inquiring
from ledger.posting.read import batch_read, lots_read
from ledger.tables import lots as lots_table

from . import generators, postgres
from .generators import wrap
from .one_shard import ACCOUNT, BAKER, OneShard, award, terms


class Watch:
    """How many lots were read, how many accounts cut, and what was read again whole."""

    def __init__(self, monkeypatch):
        self.lots = self.cuts = self.whole = 0
        self.parts = []
        lot_of, cut, whole, decide = (
            lots_table.lot_of,
            lots_read.cut,
            batch_read.read,
            usecases._decide,
        )

        def seen(*given):
            self.lots += 1
            return lot_of(*given)

        def cut_seen(*given):
            self.cuts += 1
            return cut(*given)

        async def read_seen(tx, heard, **how):
            self.whole += bool(how)
            return await whole(tx, heard, **how)

        def decided(book, batch, heard, efforts):
            self.parts.append(
                (len(batch), max((len(m.lots) for m in book.members.values()), default=0))
            )
            return decide(book, batch, heard, efforts)

        monkeypatch.setattr(lots_table, "lot_of", seen)
        monkeypatch.setattr(lots_read, "cut", cut_seen)
        monkeypatch.setattr(batch_read, "read", read_seen)
        monkeypatch.setattr(usecases, "_decide", decided)

    def take(self):
        """Lots read since the last time."""
        lots, self.lots = self.lots, 0
        return lots


def inquiry(account, at, number, amount_rial=1_000_000):
    body = Inquire(
        name=till_name(9, 9, number), account=account, amount_rial=amount_rial, merchant=BAKER,
        acceptor=BAKER, would_earn_points=0, offer=Offer(price_rial=100, price_points=1),
    )  # fmt: skip
    return wrap(body, at)


@pytest.mark.parametrize("seed", range(5))
async def test_what_is_left_unread_changes_no_row_and_no_answer(
    database, shards, monkeypatch, seed
):
    told = generators.Story(seed + 500, accounts=(1000, 1001)).batch(280)
    watch, found = Watch(monkeypatch), []
    for most in (1_000_000, 2):
        monkeypatch.setattr(lots_read, "LOTS_READ", most)
        rng, shard, start, answers = random.Random(seed), next(shards), 0, []
        while start < len(told):
            piece = told[start : start + rng.choice((1, 1, 2, 5, 12))]
            start += len(piece)
            asked = [inquiry(account, piece[-1].accepted_at, start) for account in (1000, 1001)]
            said = await postgres.post(database, postgres.events(shard, [*piece, *asked]))
            answers.append(postgres.replies(said))
        whole = await postgres.tables(database, shard)
        del whole["shards"], whole["leaves"]  # an answer's id begins with its shard
        found.append((whole, _without(shard, answers)))
    assert found[0] == found[1]
    assert watch.cuts > 100
    assert watch.whole < watch.cuts / 4


def _without(shard, answers):
    return [
        {place: (http, body.replace(f'"{shard}.'.encode(), b'"')) for place, (http, body) in one}
        for one in (sorted(replies.items()) for replies in answers)
    ]


async def filled(database, shard, lots, *, points=1):
    """A shard whose account has so many lots, a day's expiry for every three of them."""
    one_shard = OneShard(shard)
    awards = [
        award(points, rule=f"r{n}", expires_at=one_shard.at + timedelta(days=30 + n // 3))
        for n in range(lots)
    ]
    for start in range(0, lots, 500):
        sale = one_shard.transaction("purchase", BAKER, awards=tuple(awards[start : start + 500]))
        await postgres.post(database, postgres.events(shard, [one_shard.envelope(sale)]))
    return one_shard


@pytest.mark.parametrize(
    ("kind", "most"), [("purchase", 40), ("spend", 60), ("decline", 40), ("inquiry", 40)]
)
async def test_a_till_pays_for_what_its_command_takes(database, shard, monkeypatch, kind, most):
    one_shard = await filled(database, shard, 700)
    watch = Watch(monkeypatch)
    match kind:
        case "purchase":
            body = one_shard.transaction("purchase", BAKER, awards=(award(5),))
        case "spend":
            body = one_shard.transaction("redemption", BAKER, redemption=terms(20))
        case "decline":
            body = one_shard.transaction("redemption", BAKER, redemption=terms(1_000))
        case _:
            said = await postgres.post(
                database, postgres.events(shard, [inquiry(ACCOUNT, one_shard.at, 1)])
            )
            (told,) = postgres.answers(said)
            assert told["balance"]["points"] == told["redeemable_points"] == 700
            assert 0 < watch.take() <= most
            return
    said = await postgres.post(database, postgres.events(shard, [one_shard.envelope(body)]))
    (told,) = postgres.answers(said)
    left = {"purchase": 705, "spend": 680, "decline": 700}[kind]
    assert told["balance"]["points"] == left
    if kind == "decline":
        assert told["reasons"][0]["en"].endswith("700 can be spent, 300 short.")
    assert 0 < watch.take() <= most
    assert watch.whole == 0


async def test_a_part_that_comes_back_reads_and_writes_those_lots_alone_that_it_reaches(
    database, shard, monkeypatch
):
    """A Rial at a time, a refund once read every lot of its redemption and wrote a row of it."""
    one_shard = await filled(database, shard, 700)
    spent = one_shard.transaction("redemption", BAKER, redemption=terms(700))
    await postgres.post(database, postgres.events(shard, [one_shard.envelope(spent)]))
    watch, read_, written, back = Watch(monkeypatch), [], [], 0
    for rial in (1, 1, 997, 500_000, 0):
        body = one_shard.transaction("refund", BAKER, original=spent.name, amount_rial=rial)
        said = await postgres.post(database, postgres.events(shard, [one_shard.envelope(body)]))
        (told,) = postgres.answers(said)
        (outcome,) = postgres.outcomes(said)
        written.append(len(outcome.moves))
        read_.append(watch.take())
        back += told.get("points_restored", 0)
    assert written == read_ == [0, 0, 0, 700, 700]
    assert back == 700
    assert (ACCOUNT, "value", "NP", 0) in await postgres.balances_of(database, shard)


@pytest.mark.parametrize("cheap", ["points", "credit"])
async def test_a_preview_weighs_cheap_lots_that_its_own_batch_opened(
    database, shards, monkeypatch, cheap
):
    """600 points at their cost lie there; value that cost nothing comes in the inquiry's poll."""
    told = []
    for most in (1_000_000, 16):
        monkeypatch.setattr(lots_read, "LOTS_READ", most)
        shard = next(shards)
        one_shard = await filled(database, shard, 60, points=10)
        unit = Unit.NETWORK_POINTS if cheap == "points" else Unit.CREDIT
        late = award(50_000, unit=unit, cost_rial=0, rule="late")
        sale = one_shard.envelope(one_shard.transaction("purchase", BAKER, awards=(late,)))
        asked = inquiry(ACCOUNT, one_shard.at, 1, amount_rial=10_000_000)
        said = await postgres.post(database, postgres.events(shard, [sale, asked]))
        told.append(postgres.answers(said)[-1] | {"id": ""})  # it begins with its shard
    assert told[0] == told[1]
    spent = told[1]["redeemable_points"], told[1]["redeemable_credit_rial"]
    assert 600 <= spent[0] < 610
    assert spent[1] < 1_000


async def test_a_thousand_spends_of_six_thousand_lots_come_to_their_end(
    database, shard, monkeypatch
):
    one_shard = await filled(database, shard, 6_000)
    watch = Watch(monkeypatch)
    spends = [
        wrap(
            SpendValue(
                name=till_name(77, 1, number), account=ACCOUNT, member=1, acceptor=BAKER,
                merchant=BAKER, spend=RedemptionTerms(points=6),
            ),
            one_shard.at,
        )
        for number in range(1, 1_001)
    ]  # fmt: skip
    said = await postgres.post(database, postgres.events(shard, spends))
    assert {outcome.status for outcome in postgres.outcomes(said)} == {"completed"}
    assert (ACCOUNT, "value", "NP", 0) not in await postgres.balances_of(database, shard)
    assert sum(count for count, _ in watch.parts) == 1_000
    assert all(count * lots <= usecases.LOTS_VISITED_MAX for count, lots in watch.parts)


async def test_inquiries_of_one_account_cost_others_no_more_than_a_bound(
    database, shard, monkeypatch
):
    """Sixteen at a time over 4,600 lots once held every till of the network, and its own group."""
    await filled(database, shard, 4_600)
    apply_rule, visited = inquiring.rules.apply_rule, []

    def counted(draft, *given):
        visited.append(len(draft.lots))
        return apply_rule(draft, *given)

    monkeypatch.setattr(inquiring.rules, "apply_rule", counted)
    at = generators.START + timedelta(days=1)
    asked = [inquiry(ACCOUNT, at, number, amount_rial=50_000_000) for number in range(1, 41)]
    asked.append(inquiry(1001, at, 41))
    said = await postgres.post(database, postgres.events(shard, asked))
    told = [one for one in postgres.answers(said) if one["balance"]["points"]]
    assert len(postgres.answers(said)) - len(told) == 1  # the neighbour's, always
    assert 1 <= len(told) < 10
    assert {one["redeemable_points"] for one in told} == {LOTS_PER_COMMAND_MAX}
    assert sum(visited) <= inquiring.VISITS_MAX + 2 * 4_600


def test_who_asks_too_much_hears_an_amount_that_completes():
    one_shard = OneShard()
    for n in range(40):
        one_shard.buy(award(100, cost_rial=5_000 if n % 2 else 20_000))
    whole = one_shard.ask(50_000_000)
    short = one_shard.ask(50_000_000, effort=inquiring.Effort(100))
    assert 0 < short.redeemable_points <= whole.redeemable_points
    assert one_shard.spend(short.redeemable_points, amount=50_000_000).status == "completed"


async def test_an_inquiry_that_got_old_in_its_poll_is_not_decided(database, shard):
    await filled(database, shard, 1)
    at = generators.START + timedelta(days=1)
    asked = [inquiry(ACCOUNT, at, 1), inquiry(ACCOUNT, at, 2)]
    old = postgres.events(shard, asked, headers=(("deadline", b"1"),))[0]
    young = postgres.events(shard, asked)[1]
    said = await postgres.post(database, [old, young])
    assert [one["id"][-1] for one in postgres.answers(said)] == ["2"]
