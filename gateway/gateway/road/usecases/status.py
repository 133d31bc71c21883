"""The outcome of a transaction, as the ledger knows it."""

from contracts.values import NameKind
from gateway import problems
from gateway.access.usecases import (
    TERMINAL_MAX,
    Caller,
    OperatorCaller,
    TerminalCaller,
    may_ask_status,
    may_post,
)
from gateway.clients import Services
from gateway.problems import Code
from gateway.road.domain import transaction_ids
from gateway.road.domain.transaction_ids import TransactionId
from gateway.road.usecases import sending
from gateway.road.usecases.sending import HttpResult, Road
from kit.base import auth, errors


async def find_transaction(
    road: Road, services: Services, caller: Caller, public_id: str
) -> HttpResult:
    """First answer and present state of a public id; 202 while the ledger does not know it.

    A terminal sees its own merchant's; an operator all. Raises BAD_TRANSACTION_ID,
    NOT_YOUR_TRANSACTION, KEY_REVOKED, SERVICE_UNAVAILABLE.
    """
    transaction = transaction_ids.parse_id(public_id, shards=road.settings.shards)
    if isinstance(caller, OperatorCaller):
        if caller.roles.isdisjoint(auth.STAFF):
            raise problems.refusal(Code.ROLE_MISSING)
    else:
        await _refuse_unrelated(road, caller, transaction)
    try:
        body = await services.find_outcome(transaction.shard, transaction.name)
    except errors.Unavailable as error:
        raise problems.refusal(Code.SERVICE_UNAVAILABLE, "ledger") from error
    if body is None:
        canonical_id = f"{transaction.shard}.{transaction.name}"
        return sending.accepted(canonical_id, "not-yet-known", road.settings.retry_after_ms)
    return HttpResult(200, body)


async def _refuse_unrelated(road: Road, caller: TerminalCaller, transaction: TransactionId) -> None:
    """Raise unless the transaction is of the caller's merchant and its key may still ask."""
    own = caller.terminal
    if transaction.family is NameKind.TILL:
        number = int(transaction.parts[0])
        if not may_ask_status(caller, number, road.clock.now()):
            raise problems.refusal(Code.KEY_REVOKED)
        if number == own.terminal:
            return
        other = None
        if 1 <= number <= TERMINAL_MAX:
            other = await road.lookups.terminal(number, own.terminal)
        if other is None or other.merchant != own.merchant:
            raise problems.refusal(Code.NOT_YOUR_TRANSACTION)
        return
    # for a day under a revoked key of the terminal that names the merchant's orders
    if transaction.family is NameKind.ORDER and own.online:
        allowed = may_ask_status(caller, own.terminal, road.clock.now())
    else:
        allowed = may_post(caller, road.clock.now())
    if not allowed:
        raise problems.refusal(Code.KEY_REVOKED)
    of_merchant = transaction.family in (NameKind.HISTORY, NameKind.ORDER)
    if not of_merchant or int(transaction.parts[0]) != own.merchant:
        raise problems.refusal(Code.NOT_YOUR_TRANSACTION)
