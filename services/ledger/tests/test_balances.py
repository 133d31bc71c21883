"""Figures of an account at a moment: a table by hand, and the identities on any lots at all."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from contracts.values import Unit
from ledger.query.domain import balances
from ledger.query.domain.balances import Figures, LotAt

NP, CR = Unit.NETWORK_POINTS, Unit.CREDIT
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
EARLIER, LATER = NOW - timedelta(days=1), NOW + timedelta(days=1)


def lot(remaining, *, issuer=5, unit=NP, start=EARLIER, end=None, held=0, number=1):
    return LotAt(number, unit, issuer, remaining, 0, start, end, held)


def test_figures_as_an_accountant_writes_them():
    mine = [
        lot(100, end=LATER), lot(40, held=15), lot(7, start=LATER), lot(30, end=NOW, held=12),
        lot(0), lot(9, issuer=6), lot(500, unit=CR, issuer=1),
    ]  # fmt: skip
    kins = balances.by_kin(mine, at=NOW, debts={(NP, 7): 3}, in_transit={(NP, 5): 4, (NP, 8): 0})
    assert kins == {
        (CR, 1): Figures(total=500, available=500, balance=500),
        (NP, 5): Figures(
            total=159, available=125, held=27, pending=7, past=18, balance=177, in_transit=4,
            expiring=100, expiring_at=LATER,
        ),
        (NP, 6): Figures(total=9, available=9, balance=9),
        (NP, 7): Figures(debt=3),
    }  # fmt: skip
    units = balances.by_unit(mine, at=NOW, debts={(NP, 7): 3}, in_transit={(NP, 5): 4})
    assert list(units) == [CR, NP]
    assert units[NP] == Figures(
        total=168, available=134, held=27, pending=7, past=18, balance=186, in_transit=4, debt=3,
        expiring=100, expiring_at=LATER,
    )  # fmt: skip


def test_what_expires_next_is_of_one_day_in_tehran():
    evening = datetime(2026, 6, 3, 20, 0, tzinfo=UTC)  # half an hour before midnight in Tehran
    mine = [lot(10, end=evening), lot(20, end=evening + timedelta(minutes=29)),
            lot(40, end=evening + timedelta(minutes=30))]  # fmt: skip
    found = balances.by_unit(mine, at=NOW)[NP]
    assert (found.expiring, found.expiring_at) == (30, evening)


TIMES = st.sampled_from([EARLIER, NOW, LATER, LATER + timedelta(hours=7)])
LOTS = st.lists(
    st.builds(
        lambda number, unit, issuer, amount, start, end, held: LotAt(
            number, unit, issuer, amount, 0, start, end, min(held, amount)
        ),
        st.integers(1, 9), st.sampled_from([NP, CR]), st.integers(1, 3), st.integers(0, 50), TIMES,
        st.none() | TIMES, st.integers(0, 50),
    ),
    max_size=12,
)  # fmt: skip


@given(LOTS, TIMES)
def test_figures_add_up_whatever_the_lots(lots, at):
    kins, units = balances.by_kin(lots, at=at), balances.by_unit(lots, at=at)
    assert sum(f.balance for f in kins.values()) == sum(lot.remaining for lot in lots)
    assert sum(f.held for f in kins.values()) == sum(lot.held for lot in lots)
    for unit, found in units.items():
        parts = [f for kin, f in kins.items() if kin[0] is unit]
        for name in ("total", "available", "held", "pending", "past", "balance"):
            assert getattr(found, name) == sum(getattr(part, name) for part in parts)
        assert found.total == found.available + found.held + found.pending
        assert found.balance == found.total + found.past
        assert 0 <= found.expiring <= found.available
