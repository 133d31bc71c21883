"""Settlement windows: closed by a marker on each shard, paid pair by pair, in order."""

from typing import Final

from contracts.value import CloseWindow, SettlePosition
from contracts.values import NETWORK_PARTY, Unit
from ledger.book import chart_transfers
from ledger.book.facts import Role
from ledger.posting.decide.draft import AccountDraft
from ledger.posting.decide.effects import Effects, decline
from ledger.posting.decide.kinds import Kind
from ledger.posting.decide.registry_needs import RegistryNeeds
from ledger.posting.domain.shard_registry import Change, Pair, Settled, ShardRegistry

_NOTHING = Settled(0, 0)


def close_window(draft: AccountDraft, body: CloseWindow) -> Effects:
    """Close the next window here: it settles what each pair owes at this sequence number."""
    registry = draft.registry
    if body.window != registry.window + 1:
        return decline("not-the-next-window", next=registry.window + 1)
    reached = {pair: settled.rial for pair, settled in registry.settled.items() if settled.rial}
    for key, balance in registry.balances.items():
        if key.role is Role.PAYABLE and key.unit is Unit.RIAL and balance:
            pair = Pair(key.owner, key.counterparty)
            reached[pair] = reached.get(pair, 0) - balance
    draft.change = Change(window=body.window, reached=tuple(sorted(reached.items())))
    return Effects()


def settle(draft: AccountDraft, body: SettlePosition) -> Effects:
    """Debtor paid creditor for a window: the payable goes back towards zero against cash.

    The payment also settles what the creditor owes back from an earlier one, because of refunds.
    """
    registry = draft.registry
    if body.window > registry.window:
        return decline("window-not-closed")
    pair, back = Pair(body.debtor, body.creditor), Pair(body.creditor, body.debtor)
    own = max(0, registry.owed(pair, body.window))
    returned = max(0, -registry.owed(back, body.window)) if back != pair else 0
    if body.amount_rial > own + returned:
        return decline("more-than-owed", left=own + returned)
    paid = min(own, body.amount_rial)
    parts = [(pair, paid), (back, paid - body.amount_rial)]
    changed: list[tuple[Pair, Settled]] = []
    for part, rial in parts:
        if not rial:
            continue
        no = _out_of_order(registry, part, body.window, 1 if rial > 0 else -1)
        if no is not None:
            return no
        fee = _fee(registry, part, rial) if part.creditor == NETWORK_PARTY else 0
        for transfer in chart_transfers.settle(part.debtor, part.creditor, rial, fee_rial=fee):
            draft.post(transfer)
        before = registry.settled.get(part, _NOTHING)
        changed.append((part, Settled(before.rial + rial, body.window)))
    draft.change = Change(settled=tuple(changed))
    return Effects(amount_rial=body.amount_rial)


def _out_of_order(registry: ShardRegistry, pair: Pair, window: int, sign: int) -> Effects | None:
    last = registry.settled.get(pair, _NOTHING).window
    if window < last:
        return decline("window-passed", last=last)
    for earlier in range(max(last, 1), window):
        if sign * registry.owed(pair, earlier) > 0:
            return decline("earlier-window-open", window=earlier)
    return None


def _fee(registry: ShardRegistry, pair: Pair, rial: int) -> int:
    """The part of a payment to the network that pays its fees; the rest pays its other claims."""
    owed = registry.balances.get(chart_transfers.fee_key(pair.debtor), 0)
    return min(rial, max(owed, 0)) if rial > 0 else max(rial, min(owed, 0))


def _needs_of_window(needs: RegistryNeeds, shard: int, _: CloseWindow) -> None:
    needs.closing.add(shard)


def _needs_of_payment(needs: RegistryNeeds, shard: int, body: SettlePosition) -> None:
    for pair in (Pair(body.debtor, body.creditor), Pair(body.creditor, body.debtor)):
        earliest = needs.pairs.get((shard, pair), body.window)
        needs.pairs[shard, pair] = min(earliest, body.window)
        needs.balances.add((shard, chart_transfers.fee_key(pair.debtor)))


KINDS: Final = (
    Kind(CloseWindow, lambda draft, body, _: close_window(draft, body), needs=_needs_of_window),
    Kind(
        SettlePosition,
        lambda draft, body, _: settle(draft, body),
        needs=_needs_of_payment,
        parties=lambda body: (body.debtor, body.creditor),
    ),
)
