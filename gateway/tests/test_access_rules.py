"""Rules of the edge: ids, versions in force, keys, limits, codes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import values
from contracts.merchants import Terminal, TerminalKey
from contracts.values import NameKind
from gateway import limits, problems
from gateway.access import domain as keys
from gateway.access.usecases import Access, Quotas
from gateway.problems import Code
from gateway.road.domain import transaction_ids, transactions
from gateway.road.domain.unsold_identifiers import UnsoldIdentifiers
from gateway.tables.domain import EffectiveVersion, in_force
from kit.base import auth, clock, errors

from .conftest import settings_of
from .fakes import bearer, terminal

NOW = datetime(2026, 3, 21, 10, 0, tzinfo=UTC)

# ------------------------------------------------------------------------------------------- ids


@pytest.mark.parametrize(
    "text",
    [
        "3.t.10000017.1.42",
        "0.h.12.A%2E1.purchase",
        "11.o.12.77.capture",
        "3.a.1000001.first-purchase",
    ],
)
def test_a_public_id_reads_back_as_it_was_written(text: str) -> None:
    parsed = transaction_ids.parse_id(text, shards=12)
    assert values.public_id(parsed.shard, parsed.name) == text


def test_persian_digits_in_an_id_are_its_digits() -> None:
    assert transaction_ids.parse_id(" ۳.t.۱۰.۱.۴۲ ", shards=12).name == "t.10.1.42"


@pytest.mark.parametrize(
    "text",
    ["", "t.1.1.1", "12.t.1.1.1", "03.t.1.1.1", "3.t.01.1.1", "3.t.1.1", "3.t.1.1.1.1", "3.q.1",
     "3.t.a.1.1", "3.t.-1.1.1", "3.h.5.A.B.purchase", "3.h.5.%41.purchase", "3.h.5.%ff.purchase",
     "3.t.1.1.99999999999999999999", "x" * 300, "3.", "."],
)  # fmt: skip
def test_any_other_spelling_of_an_id_is_refused(text: str) -> None:
    with pytest.raises(errors.Problem) as caught:
        transaction_ids.parse_id(text, shards=12)
    assert caught.value.code == "bad-transaction-id"


def test_only_a_sale_can_be_undone() -> None:
    assert transaction_ids.parse_original("3.h.5.A.purchase", shards=12).family is NameKind.HISTORY
    with pytest.raises(errors.Problem) as caught:
        transaction_ids.parse_original("3.a.1000001.first-purchase", shards=12)
    assert caught.value.code == "original-not-refundable"


def test_a_historic_name_is_bounded() -> None:
    assert transaction_ids.history_name(5, "A.1") == "h.5.A%2E1.purchase"
    for bad in ("", "آ" * 128):
        with pytest.raises(errors.Problem) as caught:
            transaction_ids.history_name(5, bad)
        assert caught.value.code == "bad-name"


# -------------------------------------------------------------------------------------- editions


def edition(version: int, minutes: int) -> EffectiveVersion:
    return EffectiveVersion(version, NOW + timedelta(minutes=minutes))


def test_the_version_in_force_is_the_latest_effective_by_then() -> None:
    editions = [edition(1, 0), edition(2, 10), edition(3, 10), edition(4, 30)]
    assert in_force(editions, NOW - timedelta(seconds=1)) is None
    versions = [in_force(editions, NOW + timedelta(minutes=m)) for m in (0, 9, 10, 29, 30)]
    assert [e.version for e in versions if e is not None] == [1, 1, 3, 3, 4]


def test_only_a_time_further_ahead_than_the_skew_is_refused() -> None:
    transactions.refuse_ahead(NOW + timedelta(seconds=120), NOW)
    transactions.refuse_ahead(NOW - timedelta(days=9000), NOW)
    with pytest.raises(errors.Problem) as caught:
        transactions.refuse_ahead(NOW + timedelta(seconds=121), NOW)
    assert caught.value.code == "occurred-at-ahead"


# ------------------------------------------------------------------------------------------ keys


@pytest.mark.parametrize("key", ["", "pvt_", "pvt_1_k", "pvt_x_k_s", "pvt_0_k_s", "pvt_1__s",
                                 "pvt_99999999999_k_s", "pvo_a_b"])  # fmt: skip
def test_what_is_no_terminal_key_is_none(key: str) -> None:
    assert keys.parse_terminal_key(key) is None


def test_a_secret_may_hold_underscores() -> None:
    assert keys.parse_terminal_key("pvt_7_abc_d_e-f") == (7, "abc", "d_e-f")


def test_a_key_is_found_by_id_and_hash_alone() -> None:
    good = TerminalKey(key_id="k", sha256=keys.digest("s"), created_at=NOW)
    terminal = Terminal(
        terminal=7, version=1, epoch=1, merchant=5, party=5, branch=1, active=True, keys=(good,)
    )
    assert keys.find_key(terminal, "k", keys.digest("s")) == good
    assert keys.find_key(terminal, "k", keys.digest("t")) is None
    assert keys.find_key(terminal, "j", keys.digest("s")) is None


@pytest.mark.parametrize(
    "header", [None, "", "Basic x", "Bearer ", "Bearer " + "x" * 201, "Bearer é"]
)
def test_what_is_no_bearer_is_none(header: str | None) -> None:
    assert keys.bearer(header) is None


def test_operators_read_from_settings() -> None:
    operators = keys.parse_operators([f"sara:money+merchant:12:{keys.digest('s3cret')}"])
    caller = operators.find("pvo_sara_s3cret")
    assert caller == keys.OperatorCaller("sara", frozenset({"money", "merchant:12"}))
    assert operators.find("pvo_sara_other") is None
    assert operators.find("pvo_ali_s3cret") is None


def test_a_partners_key_is_of_one_party() -> None:
    operators = keys.parse_operators([f"shop:enrol:12+merchant:7:{keys.digest('s3cret')}"])
    caller = operators.find("pvo_shop_s3cret")
    assert caller is not None
    assert caller == keys.OperatorCaller("shop", frozenset({"enrol:12", "merchant:7"}), party=12)
    assert caller.roles.isdisjoint(auth.STAFF)


@pytest.mark.parametrize(
    "entry",
    [
        "sara",
        "sara:money",
        "sara:king:" + "0" * 64,
        "sara:operator:" + "0" * 64,
        "sara:merchant::" + "0" * 64,
        "sara:merchant:0:" + "0" * 64,
        "sara:merchant:012:" + "0" * 64,
        "sara:merchant:2147483648:" + "0" * 64,
        "sara:merchant:x:" + "0" * 64,
        "sara:service:" + "0" * 64,
        "sara:party:0:" + "0" * 64,
        "sara:party:012:" + "0" * 64,
        "sara:enrol:0:" + "0" * 64,
        "sara:enrol:x:" + "0" * 64,
        "sara:enrol:5+enrol:6:" + "0" * 64,
        ":money:" + "0" * 64,
        "a_b:money:" + "0" * 64,
        "sara:money:xyz",
    ],
)
def test_a_bad_operator_is_named_at_the_start(entry: str) -> None:
    with pytest.raises(ValueError):
        keys.parse_operators([entry])


# ---------------------------------------------------------------------------------------- limits


@given(st.lists(st.floats(0, 2), max_size=60))
def test_a_limit_holds_over_any_pattern(gaps: list[float]) -> None:
    limiter, now, taken = limits.RateLimiter(5, 10), 0.0, 0
    for gap in gaps:
        now += gap
        taken += limiter.take("k", now)
        assert taken <= 10 + 5 * now + 1e-6


def test_keys_do_not_share_a_bucket_and_buckets_are_bounded() -> None:
    limiter = limits.RateLimiter(1, 1)
    assert limiter.take("a", 0.0)
    assert limiter.take("b", 0.0)
    assert not limiter.take("a", 0.5)
    assert limiter.take("a", 1.5)
    for i in range(limits.BUCKETS_MAX + 5):
        limiter.take(i, 10.0)
    assert len(limiter._buckets) <= limits.BUCKETS_MAX


def test_what_costs_more_takes_more_and_nothing_is_too_dear_for_ever() -> None:
    limiter = limits.RateLimiter(1, 10)
    assert limiter.take("a", 0.0, 8)
    assert not limiter.take("a", 0.0, 3)
    assert limiter.take("a", 0.0, 2)
    assert limiter.take("a", 10.0, 1_000)
    assert not limiter.take("a", 10.0)


def test_a_caller_has_so_many_slots_and_all_together_so_many() -> None:
    slots = limits.ConcurrencyLimit(caller_limit=2, limit=3)
    assert [slots.enter(who) for who in "aaabc"] == [True, True, False, True, False]
    slots.leave("a")
    assert slots.enter("c")
    for who in "abc":
        slots.leave(who)
    assert slots.count == 0
    assert slots._by_caller == {}


def test_a_till_that_sells_never_meets_the_limit_of_identifiers() -> None:
    unsold, now = UnsoldIdentifiers(200, 600), 0.0
    for sale in range(5_000):  # the opening of a shop: a sale every two seconds, asked about first
        now += 2.0
        assert unsold.admit(7, f"member {sale}", now)
        assert unsold.admit(7, f"member {sale}", now)
        if sale % 50:  # one in fifty asks for the balance and leaves
            unsold.sold(7, f"member {sale}")


@given(st.lists(st.tuples(st.integers(0, 40), st.floats(0, 30)), max_size=200))
def test_no_more_identifiers_without_a_sale_than_the_limit_in_any_window(
    presented: list[tuple[int, float]],
) -> None:
    unsold, now = UnsoldIdentifiers(10, 60), 0.0
    first: dict[int, float] = {}
    for number, gap in presented:
        now += gap
        if unsold.admit(7, str(number), now) and now - first.get(number, -1e9) >= 60:
            first.setdefault(number, now)
        assert len(unsold._by_terminal[7]) <= 10


def test_terminals_do_not_share_the_count_and_it_ends_with_the_window() -> None:
    unsold = UnsoldIdentifiers(2, 60)
    assert [unsold.admit(7, d, 0.0) for d in "aabc"] == [True, True, True, False]
    assert unsold.admit(8, "c", 0.0)
    assert unsold.admit(7, "a", 30.0)  # asked before, and free
    assert not unsold.admit(7, "c", 59.0)
    assert unsold.admit(7, "c", 60.0)
    unsold.sold(9, "never shown")


# ----------------------------------------------------------------------------------------- codes


def test_every_code_says_what_to_do_in_two_languages() -> None:
    seen: set[str] = set()
    for code in Code:
        assert code.code not in seen
        seen.add(code.code)
        assert any("\u0600" <= c <= "\u06ff" for c in code.fa)
        assert code.en.isascii()
        assert problems.refusal(code).status == code.status


async def test_a_terminal_stopped_while_merchants_is_asked_is_not_remembered_as_open() -> None:
    fresh, standing = terminal(7), {7: terminal(7, keys=())}
    tables = SimpleNamespace(
        terminals_changed=0, merchants_stopped=(), find_terminal=lambda number: standing[number]
    )

    async def strange_terminal(number: int, address: str) -> Any:
        standing[7] = terminal(7, version=3, stopped=True)  # the topic is faster than the answer
        tables.terminals_changed += 1
        with pytest.raises(errors.Problem):  # whoever else comes meanwhile hears it
            await access.terminal(*credentials)
        return fresh

    lookups: Any = SimpleNamespace(
        tables=tables, known_terminal=tables.find_terminal, strange_terminal=strange_terminal
    )
    nobody: Any = None  # signs in
    access = Access(
        lookups,
        keys.parse_operators([]),
        clock.SystemClock(),
        Quotas.of(settings_of("", Path(), 1)),
        nobody,
        nobody,
    )
    credentials = (bearer(7)["authorization"], "10.0.0.1")
    assert (await access.terminal(*credentials)).terminal is fresh
    with pytest.raises(errors.Problem) as caught:
        await access.terminal(*credentials)
    assert caught.value.code == "terminal-inactive"
