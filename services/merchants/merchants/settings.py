"""The settings of the merchants process, and the numbers of its rules."""

import re
from typing import Final

from contracts.iran import clean_sheba
from kit.base import settings

PROPAGATION_S: Final = 60  # a new version reaches every gateway and stage before it counts
KEYS_ACTIVE_MAX: Final = 8  # keys of one terminal that have no end yet
KEYS_PUBLISHED_MAX: Final = 64  # those in force and the last ended ones: they travel in one message
KEYS_OVERLAP_MAX_S: Final = 7 * 86_400  # how long older keys may outlast an activation
PAGE_MAX: Final = 200
TOTALS_DAYS_MAX: Final = 366
DISPUTE_DAYS_MAX: Final = 366
_TIME_OF_DAY: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_DAY_MINUTES: Final = 1_440


class Settings(settings.ServiceSettings, frozen=True, kw_only=True):
    """window_cut: time of day in Tehran at which a settlement window ends; empty: by hand.

    settlement_name, settlement_sheba: of the network's account that payments go through; without
    it nothing is settled. minimum_payout_rial: a smaller net is carried over. paya_max_rial,
    satna_max_rial: the most that one instruction of each system moves, by the Central Bank's
    circulars. dispute_open_days: how long after its closing the lines of a window may be disputed.
    dispute_answer_days: for the other party to answer. dispute_escalate_days: for whoever opened it
    to ask the network after a refusal.
    """

    window_cut: str = "24:00"
    settlement_name: str = "پیوند"
    settlement_sheba: str = ""
    minimum_payout_rial: int = 500_000
    paya_max_rial: int = 1_000_000_000
    satna_max_rial: int = 50_000_000_000
    dispute_open_days: int = 45
    dispute_answer_days: int = 10
    dispute_escalate_days: int = 10

    def __post_init__(self) -> None:
        """Raises ValueError for a text that is no time of day."""
        if self.window_cut and not _TIME_OF_DAY.fullmatch(self.window_cut):
            raise ValueError("PEYVAND_WINDOW_CUT is a time of day, 00:00 to 24:00, or empty")
        if self.settlement_sheba and clean_sheba(self.settlement_sheba) != self.settlement_sheba:
            raise ValueError("PEYVAND_SETTLEMENT_SHEBA is IR and 24 digits")
        if min(self.minimum_payout_rial, self.paya_max_rial, self.satna_max_rial) < 1:
            raise ValueError("PEYVAND_…_RIAL of settlement are 1 at least")
        days = (self.dispute_open_days, self.dispute_answer_days, self.dispute_escalate_days)
        if not all(1 <= one <= DISPUTE_DAYS_MAX for one in days):
            raise ValueError(f"PEYVAND_DISPUTE_…_DAYS are 1 to {DISPUTE_DAYS_MAX}")

    @property
    def cut_minute(self) -> int | None:
        """Minute of Tehran's day at which windows are cut, 0 to 1,439; None: by hand alone."""
        if not self.window_cut:
            return None
        hour, minute = self.window_cut.split(":")
        return (int(hour) * 60 + int(minute)) % _DAY_MINUTES
