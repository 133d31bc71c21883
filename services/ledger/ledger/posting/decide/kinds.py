"""A row for each kind of command: its rule, and what the rule needs and may touch.

A row stands beside its rule; `rules` has them all. A field that a row leaves out means nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ledger.book.facts import PriorPosting
from ledger.posting.decide.debits import Debit
from ledger.posting.decide.draft import AccountDraft
from ledger.posting.decide.effects import Effects
from ledger.posting.decide.registry_needs import RegistryNeeds

B = TypeVar("B")


def _never(*_: Any) -> bool:
    return False


def _nobody(_: Any) -> tuple[int, ...]:
    return ()


def _nothing(*_: Any) -> tuple[Debit, ...]:
    return ()


def always(_: Any) -> bool:
    """True, whatever the body: for the questions of a row."""
    return True


@dataclass(frozen=True, slots=True)
class Kind(Generic[B]):
    """One kind of command, by the type of its body.

    rule: its effects; the third argument is the earlier command that it names, where known. debits:
    what it may take from its account, an estimate. needs: what it reads of its shard's registry.
    lot: the lot that it names. parties: parties whose status may matter.

    Of a frozen or closed account or party: exempt, no status forbids the command; returns, it may
    reach a closed account; leaves, value would leave the account or could not be used by its
    holder; makers, the parties that would owe more by it; begins, another party that it would begin
    something with.
    """

    body: type[B]
    rule: Callable[[AccountDraft, B, PriorPosting | None], Effects]
    debits: Callable[[B, PriorPosting | None], Iterable[Debit]] = _nothing
    needs: Callable[[RegistryNeeds, int, B], None] | None = None
    lot: Callable[[B], int] | None = None
    parties: Callable[[B], Iterable[int]] = _nobody
    exempt: Callable[[B], bool] = _never
    returns: Callable[[AccountDraft, B], bool] = _never
    leaves: Callable[[B], bool] = _never
    makers: Callable[[B], tuple[int, ...]] = _nobody
    begins: Callable[[B], int] = lambda _: 0
