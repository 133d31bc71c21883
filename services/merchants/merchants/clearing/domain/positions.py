"""Net positions of a closed window, and its sums."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from kit.base import errors
from merchants.clearing.domain.corrections import Correction, effect_of
from merchants.clearing.domain.counting import Marker, Pair, PairSums
from merchants.clearing.domain.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One party's figures of a closed window, in Rial.

    opening_rial, closing_rial: above zero, the others owe the party. claims are due to it, dues are
    due from it. fee_rial: due from it; of the network, below zero, what others owe it.
    corrections_rial: due to it because of disputes that ended in the window, less what is due from
    it. position_rial: the net of the window. paid_rial: paid to it, less what it paid.
    """

    party: int
    opening_rial: int = 0
    claims_rial: int = 0
    claims_reversed_rial: int = 0
    dues_rial: int = 0
    dues_reversed_rial: int = 0
    fee_rial: int = 0
    paid_rial: int = 0
    corrections_rial: int = 0

    @property
    def position_rial(self) -> int:
        """Due to the party, less what is due from it and its fees, with its corrections."""
        return (
            self.claims_rial - self.claims_reversed_rial
            - self.dues_rial + self.dues_reversed_rial - self.fee_rial + self.corrections_rial
        )  # fmt: skip

    @property
    def closing_rial(self) -> int:
        """What is unpaid at the window's end."""
        return self.opening_rial + self.position_rial - self.paid_rial


def positions_of(sums: Iterable[Position], openings: Mapping[int, int]) -> list[Position]:
    """The net position of every party, by number; openings: what is unpaid from before, if any.

    sums: of each party over all its pairs, with nothing from before. Positions, fees, corrections,
    payments and closings each sum to zero. Raises Alarm where they do not. Source: SH14, decisions
    0041 and 0046.
    """
    of_party = {one.party: one for one in sums}
    netted = [
        replace(of_party.get(party, Position(party=party)), opening_rial=openings.get(party, 0))
        for party in sorted(of_party.keys() | openings.keys())
    ]
    unbalanced = sums_beside_zero(netted)
    if unbalanced:
        raise errors.Alarm(f"positions of a window do not sum to zero: {unbalanced}")
    return netted


def netted_of(
    pairs: Mapping[Pair, PairSums],
    openings: Mapping[int, int],
    *,
    window: int = 0,
    corrections: Sequence[Correction] = (),
) -> list[Position]:
    """The rule of positions_of, worked out from every pair, whatever they sum to.

    The database adds pairs up when a window is closed; this is what reconciliation compares.
    corrections: made or paid in the window, of which the number is needed then.
    """
    parties = {party for pair in pairs for party in pair} | openings.keys()
    parties |= {party for one in corrections for party in one.pair}
    positions = {p: Position(party=p, opening_rial=openings.get(p, 0)) for p in parties}
    for pair, sums in pairs.items():
        if pair.debtor == pair.creditor:
            continue
        debtor, creditor = positions[pair.debtor], positions[pair.creditor]
        positions[pair.debtor] = replace(
            debtor,
            dues_rial=debtor.dues_rial + sums.claims_rial,
            dues_reversed_rial=debtor.dues_reversed_rial + sums.reversed_rial,
            fee_rial=debtor.fee_rial + sums.fee_rial,
            paid_rial=debtor.paid_rial - sums.paid_rial,
        )
        positions[pair.creditor] = replace(
            creditor,
            claims_rial=creditor.claims_rial + sums.claims_rial,
            claims_reversed_rial=creditor.claims_reversed_rial + sums.reversed_rial,
            fee_rial=creditor.fee_rial - sums.fee_rial,
            paid_rial=creditor.paid_rial + sums.paid_rial,
        )
    for one in corrections:
        for party in one.pair:
            effect = effect_of(one, party, window)
            before = positions[party]
            positions[party] = replace(
                before,
                corrections_rial=before.corrections_rial + effect.correction_rial,
                paid_rial=before.paid_rial + effect.paid_rial,
            )
    return [positions[party] for party in sorted(positions)]


def sums_beside_zero(positions: Sequence[Position]) -> dict[str, int]:
    """Those of positions, fees, corrections, payments and closings that do not sum to zero."""
    names = ("position_rial", "fee_rial", "corrections_rial", "paid_rial", "closing_rial")
    sums = {name: sum(getattr(one, name) for one in positions) for name in names}
    return {name: rials for name, rials in sums.items() if rials}


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSums:
    """What happened in a window, over all pairs and shards; so far, while it is open.

    claims_rial: what parties came to owe one another, fees apart. net_rial: what changes hands once
    claims are set off against each other, the network's fee in it.
    """

    outcomes_count: int = 0
    entries_count: int = 0
    claims_rial: int = 0
    reversed_rial: int = 0
    fee_rial: int = 0
    paid_rial: int = 0
    net_rial: int = 0


def window_sums(
    pairs: Mapping[Pair, PairSums], positions: Iterable[Position], outcomes_count: int
) -> WindowSums:
    """The sums of a window from its pairs and positions; what concerns one party alone is no debt.

    Its entries are counted.
    """
    total = sum((one for pair, one in pairs.items() if pair.debtor != pair.creditor), PairSums())
    return WindowSums(
        outcomes_count=outcomes_count,
        entries_count=sum(one.entries_count for one in pairs.values()),
        claims_rial=total.claims_rial,
        reversed_rial=total.reversed_rial,
        fee_rial=total.fee_rial,
        paid_rial=total.paid_rial,
        net_rial=net_of(positions),
    )


def net_of(positions: Iterable[Position]) -> int:
    """Rial that change hands: the positions above zero."""
    return sum(max(one.position_rial, 0) for one in positions)


Miscount = tuple[int, Pair, PairSums, PairSums]  # shard, pair, the sums of its entries, those kept


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeWindow:
    """All that is kept of a closed window, for reconciliation.

    markers_before, unpaid_before: of the window before. miscounted: pairs that are not the sums of
    their entries. corrections: made or paid in the window.
    """

    window: Window
    sums: WindowSums
    markers: Sequence[Marker]
    markers_before: Sequence[Marker]
    pairs: Mapping[Pair, PairSums]
    positions: Sequence[Position]
    unpaid_before: Mapping[int, int]
    corrections: Sequence[Correction]
    miscounted: Sequence[Miscount]
