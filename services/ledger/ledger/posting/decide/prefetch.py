"""The part of its shards' registries that a batch reads: most batches, none."""

from collections.abc import Iterable, Sequence

from contracts.value import CaptureHold
from ledger.book.commands import Command
from ledger.posting.decide import rules
from ledger.posting.decide.batch_state import BatchState
from ledger.posting.decide.registry_needs import RegistryNeeds
from ledger.posting.domain.shard_registry import Subject


def of_batch(
    fresh: Iterable[Command], owners: Sequence[tuple[int, int]], book: BatchState
) -> RegistryNeeds:
    """What to read for new commands. owners: (shard, account) of the commands.

    book: has the earlier commands that they name, and the shards where a status was ever set.
    """
    needs, guarded = RegistryNeeds(), book.guarded
    for command in fresh:
        shard, kind = command.shard, rules.kind_of(command.body)
        if kind.needs is not None:
            kind.needs(needs, shard, command.body)
        if shard in guarded:
            parties = {*kind.parties(command.body), _place_of_hold(book, shard, command.body)} - {0}
            needs.standings |= {(shard, Subject(True, party)) for party in parties}
    if guarded:
        needs.standings |= {
            (shard, Subject(False, owner)) for shard, owner in owners if shard in guarded
        }
    return needs


def _place_of_hold(book: BatchState, shard: int, body: object) -> int:
    """The acceptor of a capture, which its hold names.

    A hold of this same batch names it when it is decided.
    """
    if not isinstance(body, CaptureHold):
        return 0
    hold = book.originals.get((shard, body.original))
    return hold.acceptor if hold is not None else 0
