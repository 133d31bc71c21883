"""What a kind of command is to the ledger: its rule, and what the rule needs and may touch.

A row stands beside its rule; `rules` has them all. Whatever a row leaves out is nothing.
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
    """Of a row's question: yes, whatever the body says."""
    return True


@dataclass(frozen=True, slots=True)
class Kind(Generic[B]):
    """One kind of command, by the type of its body.

    rule: what becomes of it; the earlier command that it names is given where it is known.
    debits: what it may take from its account, an estimate. needs: of its shard's registry. lot: the
    lot that it names. parties: whose status may matter to it.

    An account or party that is frozen or closed: exempt says that no status forbids the command;
    returns, that it may reach a closed account; leaves, that value would leave the account, or
    could not be used by its holder; makers, the parties that would owe more by it; begins, another
    party that it would begin something with.
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
