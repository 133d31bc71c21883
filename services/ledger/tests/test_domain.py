"""The rules: properties, and the ledger against a plain model on random stories."""

from collections import Counter, defaultdict

from contracts import envelope as envelopes
from ledger.book import lots
from ledger.book.facts import value_key
from ledger.log.domain import records
from ledger.posting.decide import commands
from ledger.posting.decide.batch_state import BatchState

from . import holding, model, stories


def run_story(seed, *, batches=12, size=15):
    """Play one story to the model and to the ledger; compare after every batch."""
    plain, book, balances = model.Model(), BatchState(), defaultdict(int)
    story = stories.of_model(seed, plain)
    sequence, said = 0, {}
    for _ in range(batches):
        batch = story.batch(size)
        expected = [plain.hear(envelope) for envelope in batch]
        heard = [records.command_from(3, envelopes.encode(envelope)) for envelope in batch]
        results = commands.decide(book, heard)
        note_holds(said, results)
        for envelope, wanted, got in zip(batch, expected, results, strict=True):
            assert got.verdict.value == wanted[0], (seed, envelope)
            if got.decision is None:
                continue
            assert (got.decision.status.value, got.decision.code) == wanted[1:], (seed, envelope)
            sequence += 1
            assert got.decision.sequence == sequence
            for leg in got.decision.legs:
                key = leg.account
                balances[key.owner, key.role.value, key.unit.value, key.counterparty] += leg.amount
        compare(seed, plain, book, balances)
        compare_holds(seed, plain, book, said)
    return plain


def note_holds(said, results):
    """Add what decisions said of holds: {hold: [(sequence, lot, amount, what)]}."""
    for result in results:
        if result.decision is not None:
            for _, hold, lot, amount, what in result.decision.holds:
                said.setdefault(hold, []).append((result.decision.sequence, lot, amount, what))


def compare_holds(seed, plain, book, said):
    standing = {n: hold.parts for m in book.members.values() for n, hold in m.holds.items()}
    assert standing == {
        n: tuple(hold["parts"]) for n, hold in plain.holds.items() if not hold["end"]
    }, seed
    assert set(said) == set(plain.holds), seed
    for number, hold in plain.holds.items():
        placed = [(lot, amount) for at, lot, amount, what in said[number] if what == "held"]
        ended = [row for row in said[number] if row[3] != "held"]
        assert placed == hold["parts"], (seed, number)
        assert {row[0] for row in ended} == ({hold["by"]} if hold["end"] else set())
        release = Counter()
        for _, lot, amount, _ in ended:
            release[lot] += amount
        assert release == (Counter(dict(hold["parts"])) if hold["end"] else Counter())
        ways = {
            "captured": {"captured", "released"}, "voided": {"released"}, "due": {"due"}, "": set(),
        }  # fmt: skip
        whats = {row[3] for row in ended}
        assert whats <= ways[hold["end"]], (seed, number)
        assert hold["end"] != "captured" or "captured" in whats


def compare(seed, plain, book, balances):
    assert {k: v for k, v in plain.accounts.items() if v} == {
        k: v for k, v in balances.items() if v
    }, seed
    real = {n: lot for m in book.members.values() for n, lot in m.lots.items()}
    assert set(real) == set(plain.lots), seed
    for number, lot in plain.lots.items():
        got = (real[number].remaining, real[number].cost_left, real[number].lapsed)
        assert got == (lot["left"], lot["cost"], lot["lapsed"]), (seed, number)
        dates = (real[number].available_from, real[number].expires_at)
        assert dates == (lot["from"], lot["until"]), (seed, number)
        assert real[number].held == holding.held(plain, number, booked=True), (seed, number)
    sums = Counter()
    for (_, role, unit, _), amount in balances.items():
        sums[unit] += amount
        assert role != "debt" or amount <= 0
    assert not any(sums.values()), seed
    for (shard, owner), member in book.members.items():
        parts = Counter()
        for lot in member.lots.values():
            parts[value_key(owner, lot.unit, lot.issuer)] += lot.remaining
        for (_, role, unit, party), total in parts.items():
            assert total == balances[owner, role.value, unit.value, party], seed
        now = book.shards[shard].decided_at
        told = lots.balance(lots.effective(member.lots, member.holds, now), now=now)
        free = [lot for lot in plain.lots.values() if lot["account"] == owner]
        assert told.held_points == sum(
            holding.held(plain, lot["number"]) for lot in free if lot["unit"] == "NP"
        ), seed
        for unit, amount in (
            ("NP", told.available_points), ("CR", told.credit_rial), ("GV", told.gift_rial),
        ):  # fmt: skip
            assert amount == sum(map(plain.room, plain.free(owner, unit))), (seed, owner, unit)


RARE = (
    "repeat", "conflict", "unknown replay", "burn spans lots", "debt", "debt repaid",
    "clawback from another lot", "child of an expired lot", "expired points forgiven",
    "post-transaction held", "post-transaction completed original-not-seen",
    "post-transaction completed nothing-to-reverse",
    "post-transaction declined insufficient-points",
    "post-transaction declined insufficient-credit",
    "post-transaction declined own-discount-too-large",
    "post-transaction declined refund-too-large", "post-transaction declined unknown-original",
    "post-transaction declined already-reversed", "post-transaction declined already-refunded",
    "post-transaction declined not-refundable", "post-transaction declined another-merchant",
    "post-transaction declined original-not-completed", "post-transaction declined limit",
    "release-pending completed", "release-pending declined past-due",
    "cancel-pending completed", "cancel-pending declined already-decided",
    "cancel-pending declined nothing-pending", "revoke-issue completed",
    "revoke-issue completed nothing-left", "expire-lot completed",
    "expire-lot declined not-due", "refuse-transaction refused limit",
    "spend spans units", "capture past the date", "expiry beside a hold", "due booked",
    "clawback beside a hold", "refund by amount", "renewed", "event", "spend-value completed",
    "spend-value declined insufficient-gift", "spend-value declined no-acceptor",
    "spend-value declined insufficient-merchant-points",
    "spend-value declined own-discount-too-large", "hold-value completed",
    "hold-value declined insufficient-points", "hold-value declined due-too-early",
    "capture-hold completed", "capture-hold declined hold-captured",
    "capture-hold declined hold-voided", "capture-hold declined hold-due",
    "capture-hold declined capture-too-large", "capture-hold declined nothing-to-redeem",
    "capture-hold declined original-not-completed", "void-hold completed",
    "void-hold declined hold-captured", "void-hold declined hold-voided",
    "void-hold declined hold-due", "void-hold declined not-a-hold", "release-hold completed",
    "release-hold completed nothing-left", "release-hold declined hold-not-due",
    "extend-lot completed", "extend-lot declined not-later",
    "extend-lot declined lot-past-date", "adjust-value completed",
    "adjust-value declined insufficient-value", "adjust-value declined same-person",
    "release-pending declined nothing-pending", "the network makes up",
    "post-transaction declined another-account",
)  # fmt: skip


def test_ledger_agrees_with_a_plain_model_after_every_batch_and_rare_cases_did_occur():
    seen = Counter()
    for seed in range(120):
        seen.update(run_story(seed).seen)
    rare = (*RARE, "taken back of a grace lot")  # which few stories tell
    assert [case for case in rare if not seen[case]] == []


def test_a_batch_cut_otherwise_decides_the_same():
    told = stories.Story(7).batch(200)
    heard = [records.command_from(3, envelopes.encode(envelope)) for envelope in told]
    whole, cut = BatchState(), BatchState()
    once = commands.decide(whole, heard)
    again = [r for n in range(0, 200, 7) for r in commands.decide(cut, heard[n : n + 7])]
    assert [r.answer for r in once] == [r.answer for r in again]
    assert [r.decision and r.decision.legs for r in once] == [
        r.decision and r.decision.legs for r in again
    ]
