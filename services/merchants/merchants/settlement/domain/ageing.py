"""What is unpaid by its age: how long ago the window closed in which it came to be owed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts.values import tehran_day
from merchants.settlement.domain.netting import Due

# the last day of each age but the last, which has none
LAST_DAYS: Final = (0, 7, 30)
AGES: Final = ("current", "days_1_7", "days_8_30", "days_over_30")


@dataclass(frozen=True, slots=True)
class PartyAgeing:
    """What a party owes and is owed, in Rial, by age in the order of AGES; refunds take off."""

    party: int
    owes: tuple[int, ...]
    is_owed: tuple[int, ...]

    @property
    def is_late(self) -> bool:
        """Whether it owes something that is older than a day."""
        return any(rial > 0 for rial in self.owes[1:])


def age_of(closed_at: datetime, now: datetime) -> int:
    """The place in AGES of what a window brought that closed then; days are Tehran's."""
    days = (tehran_day(now) - tehran_day(closed_at)).days
    return next((age for age, last in enumerate(LAST_DAYS) if days <= last), len(LAST_DAYS))


def ageing_of(
    dues: Iterable[Due], closed_at: Mapping[int, datetime], now: datetime
) -> list[PartyAgeing]:
    """The ageing of every party that owes or is owed, by number.

    closed_at: of each window of dues. What all owe is what all are owed, age by age.
    """
    owes: dict[int, list[int]] = {}
    owed: dict[int, list[int]] = {}
    for due in dues:
        age = age_of(closed_at[due.window], now)
        owes.setdefault(due.pair.debtor, [0] * len(AGES))[age] += due.due_rial
        owed.setdefault(due.pair.creditor, [0] * len(AGES))[age] += due.due_rial
    nothing = [0] * len(AGES)
    return [
        PartyAgeing(party, tuple(owes.get(party, nothing)), tuple(owed.get(party, nothing)))
        for party in sorted(owes.keys() | owed.keys())
    ]


def total_of(parties: Sequence[PartyAgeing]) -> tuple[int, ...]:
    """What is unpaid in all, by age."""
    return tuple(sum(one.owes[age] for one in parties) for age in range(len(AGES)))
