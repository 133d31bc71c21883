"""What became of a transaction, asked of the ledger."""

from contracts.values import Family
from gateway.clients import Services
from gateway.domain import keys, problems, road
from gateway.domain.keys import Caller, OperatorCaller, TerminalCaller
from gateway.domain.problems import Code
from gateway.usecases import sending
from gateway.usecases.sending import Ended, Road
from kit import auth, errors


async def find_transaction(road_: Road, services: Services, caller: Caller, text: str) -> Ended:
    """First answer and present state of a public id; 202 while nobody knows it.

    A terminal sees its own merchant's; an operator all. Raises BAD_TRANSACTION_ID,
    NOT_YOUR_TRANSACTION, KEY_REVOKED, SERVICE_UNAVAILABLE.
    """
    asked = road.parse_id(text, shards=road_.settings.shards)
    if isinstance(caller, OperatorCaller):
        if caller.roles.isdisjoint(auth.STAFF):
            raise problems.refusal(Code.ROLE_MISSING)
    else:
        await _refuse_strangers(road_, caller, asked)
    try:
        body = await services.find_outcome(asked.shard, asked.name)
    except errors.Unavailable as error:
        raise problems.refusal(Code.SERVICE_UNAVAILABLE, "ledger") from error
    if body is None:
        public_id = f"{asked.shard}.{asked.name}"
        return sending.accepted(public_id, "not-yet-known", road_.settings.retry_after_ms)
    return Ended(200, body)


async def _refuse_strangers(road_: Road, caller: TerminalCaller, asked: road.Id) -> None:
    own = caller.terminal
    if asked.family is Family.TILL:
        number = int(asked.parts[0])
        if not keys.may_ask_status(caller, number, road_.clock.now()):
            raise problems.refusal(Code.KEY_REVOKED)
        if number == own.terminal:
            return
        other = None
        if 1 <= number <= keys.TERMINAL_MAX:
            other = await road_.lookups.terminal(number, own.terminal)
        if other is None or other.merchant != own.merchant:
            raise problems.refusal(Code.NOT_YOUR_TRANSACTION)
        return
    # for a day under a revoked key of the terminal that names them: they are its own
    if asked.family is Family.ORDER and own.online:
        allowed = keys.may_ask_status(caller, own.terminal, road_.clock.now())
    else:
        allowed = keys.may_post(caller, road_.clock.now())
    if not allowed:
        raise problems.refusal(Code.KEY_REVOKED)
    if asked.family not in (Family.HISTORY, Family.ORDER) or int(asked.parts[0]) != own.merchant:
        raise problems.refusal(Code.NOT_YOUR_TRANSACTION)
