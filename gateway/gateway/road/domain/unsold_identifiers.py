"""How many identifiers a terminal may present without selling to them."""

from dataclasses import dataclass, field
from typing import Final

TERMINALS_MAX: Final = 100_000


@dataclass(slots=True)
class UnsoldIdentifiers:
    """Identifiers that a terminal presented without a sale: at most `limit` of them in window_s.

    The limit is checked before any table is read, so that beyond it a member and a stranger get
    the same answer (findings S7). A sale takes its identifier off the count: a till that sells
    never reaches the limit, however much it sells; one that only inquires does.
    window_s, now_s: seconds of a steady clock.
    """

    limit: int
    window_s: float
    _by_terminal: dict[int, dict[str, float]] = field(default_factory=dict[int, dict[str, float]])

    def admit(self, terminal: int, digest: str, now_s: float) -> bool:
        """Whether a terminal may present this identifier; one that is counted already is free."""
        presented = self._by_terminal.get(terminal)
        if presented is None:
            if len(self._by_terminal) >= TERMINALS_MAX:
                self._forget_expired(now_s)
            presented = self._by_terminal[terminal] = {}
        if digest in presented:
            return True
        if len(presented) >= self.limit:
            self._drop_expired(presented, now_s)
            if len(presented) >= self.limit:
                return False
        presented[digest] = now_s
        return True

    def sold(self, terminal: int, digest: str) -> None:
        """A sale to this identifier entered the road: it counts no more."""
        presented = self._by_terminal.get(terminal)
        if presented is not None:
            presented.pop(digest, None)

    def unsold(self, terminal: int, digest: str, now_s: float) -> None:
        """A presumed sale was none: its identifier counts again, from now."""
        presented = self._by_terminal.get(terminal)
        if presented is None and len(self._by_terminal) < TERMINALS_MAX:
            presented = self._by_terminal[terminal] = {}
        if presented is not None:
            presented.setdefault(digest, now_s)

    def _drop_expired(self, presented: dict[str, float], now_s: float) -> None:
        while presented:
            oldest = next(iter(presented))  # a dict keeps the order in which they came
            if now_s - presented[oldest] < self.window_s:
                return
            del presented[oldest]

    def _forget_expired(self, now_s: float) -> None:
        for terminal, presented in list(self._by_terminal.items()):
            self._drop_expired(presented, now_s)
            if not presented:
                del self._by_terminal[terminal]
