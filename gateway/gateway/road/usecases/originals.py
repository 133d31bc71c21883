"""The original of an undo or a capture: which it is, and whether this key may name it."""

from msgspec import UNSET

from contracts import values
from contracts.merchants import Terminal
from contracts.values import Kind, NameKind
from gateway import problems
from gateway.access.usecases import TERMINAL_MAX
from gateway.problems import Code
from gateway.road.domain import names, shapes, transaction_ids, transactions
from gateway.road.domain.transaction_ids import TransactionId
from gateway.road.domain.transactions import ResolvedIdentifier
from gateway.road.usecases.sending import Road


async def resolve_original(
    road: Road,
    body: shapes.Transaction,
    terminal: Terminal,
    identifier: ResolvedIdentifier | None,
) -> TransactionId | None:
    """What is undone or captured; None for every other kind.

    A refund, a capture or a void may be of another till of the merchant: the shop decides, the
    ledger limits the amount. A reversal undoes a request that had no answer, even one that never
    arrived. Only the terminal that named the request may send it (findings S11); for an order, only
    the terminal that names the merchant's orders (A12). Raises REVERSAL_OF_ANOTHER_TERMINAL,
    ORIGINAL_OF_ANOTHER_MERCHANT and the problems of reading the original.
    """
    reference = body.original
    if reference is UNSET:
        return None
    if reference.id is not UNSET:
        original = transaction_ids.parse_original(reference.id, shards=road.settings.shards)
        if original.name == names.text_of(body):
            raise problems.refusal(Code.ORIGINAL_IS_ITSELF)
    else:
        if reference.occurred_at is not UNSET:
            transactions.refuse_ahead(reference.occurred_at, road.clock.now())
        text = names.text_of(reference)
        shard = transactions.shard_of(identifier)
        original = TransactionId(shard, text, *values.name_parts(text))
    if body.kind is Kind.REVERSAL:
        _refuse_reversal_of_others(terminal, original)
    await _refuse_other_merchants(road, terminal, original)
    return original


def _refuse_reversal_of_others(terminal: Terminal, original: TransactionId) -> None:
    """Refuse to reverse another terminal's sale; an imported one may be refunded, not reversed."""
    number = int(original.parts[0])
    match original.family:
        case NameKind.TILL:
            own = number == terminal.terminal
        case NameKind.ORDER:
            # of another merchant's order, _refuse_other_merchants has a code of its own
            own = terminal.online or number != terminal.merchant
        case _:
            own = False
    if not own:
        raise problems.refusal(Code.REVERSAL_OF_ANOTHER_TERMINAL)


async def _refuse_other_merchants(road: Road, terminal: Terminal, original: TransactionId) -> None:
    """Raise unless the original is the merchant's own, and of an epoch that was issued.

    A missing terminal and one of another merchant get the same answer, so that no till learns which
    terminals exist.
    """
    number = int(original.parts[0])
    if original.family is not NameKind.TILL:
        if number != terminal.merchant:
            raise problems.refusal(Code.ORIGINAL_OF_ANOTHER_MERCHANT)
        return
    caller, epoch = terminal.terminal, int(original.parts[1])
    issuer: Terminal | None = terminal
    if number != caller:
        possible = 1 <= number <= TERMINAL_MAX
        issuer = await road.lookups.terminal(number, caller) if possible else None
    if issuer is None or issuer.merchant != terminal.merchant:
        raise problems.refusal(Code.ORIGINAL_OF_ANOTHER_MERCHANT)
    if epoch > issuer.epoch:
        issuer = await road.lookups.fresh_terminal(number, caller) or issuer
    if epoch > issuer.epoch:
        raise problems.refusal(Code.UNKNOWN_EPOCH, "of the original")
