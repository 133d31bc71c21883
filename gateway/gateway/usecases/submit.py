"""What a till, an online shop and an import ask: resolved, checked and sent."""

import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from msgspec import UNSET, UnsetType

from contracts import members, values
from contracts.envelope import Envelope
from contracts.ledger import Reply
from contracts.merchants import Terminal
from contracts.pos import PosTransaction
from contracts.values import Family, Kind
from gateway.domain import names, problems, requests, road
from gateway.domain.keys import TERMINAL_MAX, OperatorCaller, TerminalCaller
from gateway.domain.problems import Code
from gateway.usecases.sending import Ended, Road, Share, send
from kit import ids, telemetry
from kit.telemetry import Metric, Span

log = logging.getLogger(__name__)
_SALES: Final = frozenset({Kind.PURCHASE, Kind.REDEMPTION})
_SOLD: Final = (b'"status":"completed"', b'"status":"held"')  # of an answer
HISTORY: Final = 0  # whose limit of look-ups an import's are


def admit_transaction(road_: Road, caller: TerminalCaller) -> None:
    """Whether a till's request may come at all, asked before its body is read.

    Raises NOT_READY, RATE_LIMITED.
    """
    road_.guard.refuse_unready()
    road_.shares.till(caller.share)


def admit_history(road_: Road, caller: OperatorCaller) -> None:
    """As admit_transaction, for an imported purchase."""
    road_.guard.refuse_unready()
    road_.shares.historic(caller.name)


async def submit_transaction(road_: Road, caller: TerminalCaller, raw: bytes, span: Span) -> Ended:
    """Send a till's or an online shop's request and wait for its answer within the POS budget.

    Raises a problem of problems.Code for what is refused before the road: nothing was posted.
    Source: architecture 2.
    """
    key = caller.share
    road_.shares.till_body(key, len(raw))
    body = requests.read_transaction(raw)
    terminal = _terminal(caller, body)
    now = road_.clock.now()
    road.refuse_ahead(body.occurred_at, now)
    digest, found = await _shown(road_, body.identifier, terminal.terminal, _as_of(body))
    original = await _original(road_, body, terminal, found)
    shown = 0
    if original is not None and found is not None and found.binding.shard != original.shard:
        shown, found = found.binding.account, None  # not the original's: for the ledger to refuse
    stamp = road.Stamp(
        shard=original.shard if original is not None else _shard(found),
        programme=_version(road_, terminal.merchant, body.occurred_at),
        terms=_terms(road_, body.occurred_at),
        accepted_at=now,
        found=found,
        original="" if original is None else original.name,
        shown=shown,
    )
    sent = road.live_transaction(body, terminal, stamp)
    said = _envelope(sent, stamp, body, requests.fingerprint(body, digest))
    share = Share(key, road_.settings.pending_each, _settling(road_, body, terminal, digest))
    return await send(road_, said, stamp.shard, share, span)


async def submit_history(road_: Road, caller: OperatorCaller, raw: bytes, span: Span) -> Ended:
    """Send an imported purchase; as submit_transaction, under an operator's mark."""
    body = requests.read_historic(raw)
    now = road_.clock.now()
    road.refuse_ahead(body.occurred_at, now)
    editions = road_.lookups.tables.list_programmes(body.merchant)
    if not editions:
        raise problems.refusal(Code.UNKNOWN_MERCHANT)
    edition = road.in_force(editions, body.occurred_at)
    party = (edition or editions[-1]).party
    digest, found = await _shown(road_, body.identifier, HISTORY, body.occurred_at, party=party)
    stamp = road.Stamp(
        shard=_shard(found),
        programme=0 if edition is None else edition.version,
        terms=_terms(road_, body.occurred_at),
        accepted_at=now,
        found=found,
    )
    name = road.history_name(body.merchant, body.transaction)
    sent = road.historic_transaction(body, name, party, stamp)
    span.set("operator", caller.name)
    said = _envelope(sent, stamp, body, requests.fingerprint(body, digest))
    share = Share(caller.name, road_.settings.history_each)
    return await send(road_, said, stamp.shard, share, span)


def _settling(
    road_: Road, body: requests.Transaction, terminal: Terminal, digest: str | None
) -> Callable[[Reply | None], None]:
    """What a reply says of the identifier that was shown: sold to, or shown still.

    Of None, a 202, nobody knows yet. A purchase is believed until its reply says no: it tells a
    till nothing of a balance, and an online shop has hundreds on their way while the road is
    behind. A redemption is not, for a declined one does tell (findings A19).
    """

    def settle(reply: Reply | None) -> None:
        if digest is None or body.kind not in _SALES:
            return
        sold = body.kind is Kind.PURCHASE if reply is None else _is_sale(reply)
        if sold:
            road_.shown.sold(terminal.terminal, digest)
        else:
            road_.shown.unsold(terminal.terminal, digest, time.monotonic())

    return settle


def _is_sale(reply: Reply) -> bool:
    """A name used before with another payload (422) sold nothing to whom was shown now."""
    return reply.http_status == 200 and any(yes in bytes(reply.body) for yes in _SOLD)


def _terminal(caller: TerminalCaller, body: requests.Transaction) -> Terminal:
    """The caller's terminal, whose name of this epoch the key may give.

    A key of an epoch gives names of it and of older ones, so that a fresh key repeats old names
    and a stolen old one starts nothing in a new epoch. Orders are named under the keys of one
    terminal of the merchant. Raises TERMINAL_MISMATCH, UNKNOWN_EPOCH, KEY_OF_OLDER_EPOCH,
    MERCHANT_MISMATCH, NOT_ONLINE.
    """
    terminal = caller.terminal
    if body.epoch is UNSET:
        if body.merchant != terminal.merchant:
            raise problems.refusal(Code.MERCHANT_MISMATCH)
        if not terminal.online:
            raise problems.refusal(Code.NOT_ONLINE)
        return terminal
    if body.terminal != terminal.terminal:
        raise problems.refusal(Code.TERMINAL_MISMATCH)
    if body.epoch > caller.key.epoch:
        known = body.epoch <= terminal.epoch
        raise problems.refusal(Code.KEY_OF_OLDER_EPOCH if known else Code.UNKNOWN_EPOCH)
    return terminal


def _as_of(body: requests.Transaction) -> datetime:
    """Time as of which the identifier resolves: the original's, where it is found by its name."""
    original = body.original
    if original is UNSET or original.occurred_at is UNSET:
        return body.occurred_at
    return original.occurred_at


async def _shown(
    road_: Road,
    identifier: requests.Identifier | UnsetType,
    asker: int,
    at: datetime,
    *,
    party: int = 0,
) -> tuple[str | None, road.Found | None]:
    """Digest of the identifier shown, and whose it was.

    asker: the terminal whose limits it is, HISTORY for an operator's import. party: whose reference
    it is, where it is one: another party's customer of that reference is not found. Raises
    TOO_MANY_IDENTIFIERS (before anything is looked up), UNKNOWN_IDENTIFIER and others.
    """
    if identifier is UNSET:
        return None, None
    kind, text = requests.shown(identifier)
    digests = members.digests(road_.identifiers, kind, text, party=party)
    digest = road_.lookups.known(digests)
    if asker != HISTORY and not road_.shown.show(asker, digest, time.monotonic()):
        telemetry.count(Metric.LIMITED, "identifiers")
        telemetry.count(Metric.ALARMS, "identifiers-without-sales")
        log.warning("a terminal shows identifiers and sells nothing", extra={"terminal": asker})
        raise problems.refusal(Code.TOO_MANY_IDENTIFIERS)
    for each in dict.fromkeys((digest, *digests)):  # of one key, as mostly, a single round
        found = await road_.lookups.identifier(each, asker)
        if found is not None and found.bindings:
            return each, road.as_of(found, at)
    raise problems.refusal(Code.UNKNOWN_IDENTIFIER)


async def _original(
    road_: Road, body: requests.Transaction, terminal: Terminal, found: road.Found | None
) -> road.Id | None:
    """What a refund or reversal undoes, and whether this key may.

    A refund takes back a sale of any till of the merchant: the shop decides that, and the ledger
    counts it. A reversal says "I gave that name and had no answer", even of a name that never
    came, which only the terminal that gave it can say (findings S11); an order's name, only the
    one that names the merchant's orders (A12). Raises REVERSAL_OF_ANOTHER_TERMINAL,
    ORIGINAL_OF_ANOTHER_MERCHANT and those of the original's own parts.
    """
    sent = body.original
    if sent is UNSET:
        return None
    if sent.id is not UNSET:
        original = road.parse_original(sent.id, shards=road_.settings.shards)
        if original.name == names.text_of(body):
            raise problems.refusal(Code.ORIGINAL_IS_ITSELF)
    else:
        if sent.occurred_at is not UNSET:
            road.refuse_ahead(sent.occurred_at, road_.clock.now())
        text = names.text_of(sent)
        original = road.Id(_shard(found), text, *values.name_parts(text))
    if body.kind is Kind.REVERSAL:
        _refuse_reversal_of_others(terminal, original)
    await _refuse_others(road_, terminal, original)
    return original


def _refuse_reversal_of_others(terminal: Terminal, original: road.Id) -> None:
    """An imported sale was named by an operator: no till's to reverse, but its shop's to refund."""
    number = int(original.parts[0])
    match original.family:
        case Family.TILL:
            own = number == terminal.terminal
        case Family.ORDER:
            own = terminal.online or number != terminal.merchant  # another's has a word of its own
        case _:
            own = False
    if not own:
        raise problems.refusal(Code.REVERSAL_OF_ANOTHER_TERMINAL)


async def _refuse_others(road_: Road, terminal: Terminal, original: road.Id) -> None:
    """Raise unless the original is the merchant's own, and of an epoch that was issued.

    A terminal that nobody has and another merchant's answer alike: no till learns who else is
    there.
    """
    number = int(original.parts[0])
    if original.family is not Family.TILL:
        if number != terminal.merchant:
            raise problems.refusal(Code.ORIGINAL_OF_ANOTHER_MERCHANT)
        return
    asker, epoch = terminal.terminal, int(original.parts[1])
    found: Terminal | None = terminal
    if number != asker:
        known = 1 <= number <= TERMINAL_MAX
        found = await road_.lookups.terminal(number, asker) if known else None
    if found is None or found.merchant != terminal.merchant:
        raise problems.refusal(Code.ORIGINAL_OF_ANOTHER_MERCHANT)
    if epoch > found.epoch:
        found = await road_.lookups.fresh_terminal(number, asker) or found
    if epoch > found.epoch:
        raise problems.refusal(Code.UNKNOWN_EPOCH, "of the original")


def _shard(found: road.Found | None) -> int:
    if found is None:
        raise problems.refusal(Code.MISSING_FIELD, "identifier")
    return found.binding.shard


def _version(road_: Road, merchant: int, at: datetime) -> int:
    edition = road.in_force(road_.lookups.tables.list_programmes(merchant), at)
    return 0 if edition is None else edition.version


def _terms(road_: Road, at: datetime) -> int:
    edition = road.in_force(road_.lookups.tables.list_terms(), at)
    return 0 if edition is None else edition.version


def _envelope(
    sent: PosTransaction,
    stamp: road.Stamp,
    body: requests.Transaction | requests.HistoricPurchase,
    fingerprint: str,
) -> Envelope[PosTransaction]:
    return Envelope(
        id=ids.uuid7(stamp.accepted_at),
        type=road.EVENT,
        key=str(sent.account) if sent.account else sent.original,
        occurred_at=body.occurred_at,
        accepted_at=stamp.accepted_at,
        fingerprint=fingerprint,
        data=sent,
    )
