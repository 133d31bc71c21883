"""Requests of tills, online shops and imports: resolved, checked and sent onto the road."""

from datetime import datetime

from msgspec import UNSET

from contracts.envelope import Envelope
from contracts.merchants import Terminal
from contracts.pos import PosTransaction
from contracts.values import SPENDS, Kind
from gateway import problems
from gateway.access.usecases import OperatorCaller, TerminalCaller
from gateway.problems import Code
from gateway.road.domain import requests, shapes, transaction_ids, transactions
from gateway.road.domain.transactions import Resolution
from gateway.road.usecases.identifiers import HISTORY, resolve_identifier, sale_counter
from gateway.road.usecases.originals import resolve_original
from gateway.road.usecases.sending import HttpResult, Road, Submitter, send
from gateway.tables.usecases import in_force
from kit.base import ids
from kit.base.telemetry import Span


def admit_transaction(road: Road, caller: TerminalCaller) -> None:
    """Whether a till's request may come at all, checked before its body is read.

    Raises NOT_READY, RATE_LIMITED.
    """
    road.readiness.refuse_unready()
    road.quotas.take_transaction(caller.quota_key, caller.terminal.merchant)


def admit_history(road: Road, caller: OperatorCaller) -> None:
    """As admit_transaction, for an imported purchase."""
    road.readiness.refuse_unready()
    road.quotas.take_history(caller.name)


async def submit_transaction(
    road: Road, caller: TerminalCaller, raw: bytes, span: Span
) -> HttpResult:
    """Send a till's or an online shop's request and wait for its answer within the POS budget.

    Raises a problem of problems.Code for what is refused before the road: nothing was posted.
    """
    key = caller.quota_key
    road.quotas.take_transaction_bytes(key, len(raw))
    body = requests.read_transaction(raw)
    terminal = _naming_terminal(caller, body)
    now = road.clock.now()
    transactions.refuse_ahead(body.occurred_at, now)
    digest, identifier = await resolve_identifier(
        road, body.identifier, terminal.terminal, _resolved_at(body, now)
    )
    original = await resolve_original(road, body, terminal, identifier)
    shown = 0
    if (
        original is not None
        and identifier is not None
        and identifier.binding.shard != original.shard
    ):
        # of another shard than the original: for the ledger to refuse
        shown, identifier = identifier.binding.account, None
    moved = body.kind in SPENDS and transactions.has_moved(identifier, now)
    resolution = Resolution(
        shard=original.shard if original is not None else transactions.shard_of(identifier),
        programme=_programme_version(road, terminal.merchant, body.occurred_at),
        terms=_terms_versions(road, body.occurred_at, now),
        accepted_at=now,
        identifier=None if moved else identifier,  # the earlier holder stays unnamed
        original="" if original is None else original.name,
        shown=shown,
        moved=moved,
    )
    transaction = transactions.live_transaction(body, terminal, resolution)
    submitted = _envelope(transaction, resolution, body, requests.fingerprint(body, digest))
    on_reply = sale_counter(road, body.kind, terminal.terminal, digest)
    submitter = Submitter(key, road.settings.pending_each, on_reply)
    return await send(road, submitted, resolution.shard, submitter, span)


async def submit_history(road: Road, caller: OperatorCaller, raw: bytes, span: Span) -> HttpResult:
    """Send an imported purchase; as submit_transaction, under an operator's mark."""
    body = requests.read_historic(raw)
    now = road.clock.now()
    transactions.refuse_ahead(body.occurred_at, now)
    versions = road.lookups.tables.list_programmes(body.merchant)
    if not versions:
        raise problems.refusal(Code.UNKNOWN_MERCHANT)
    programme = in_force(versions, body.occurred_at)
    party = (programme or versions[-1]).party
    digest, identifier = await resolve_identifier(
        road, body.identifier, HISTORY, body.occurred_at, party=party
    )
    resolution = Resolution(
        shard=transactions.shard_of(identifier),
        programme=0 if programme is None else programme.version,
        terms=_terms_versions(road, body.occurred_at, now),
        accepted_at=now,
        identifier=identifier,
    )
    _refuse_other_versions(body, resolution)
    name = transaction_ids.history_name(body.merchant, body.transaction)
    transaction = transactions.historic_transaction(body, name, party, resolution)
    span.set("operator", caller.name)
    submitted = _envelope(transaction, resolution, body, requests.fingerprint(body, digest))
    submitter = Submitter(caller.name, road.settings.history_each)
    return await send(road, submitted, resolution.shard, submitter, span)


def _refuse_other_versions(body: shapes.HistoricPurchase, resolution: Resolution) -> None:
    """Raises OTHER_VERSION_IN_FORCE where the tables here are behind what the import expects."""
    programme, terms = resolution.programme, resolution.terms[0]
    if body.programme_version in (UNSET, programme) and body.terms_version in (UNSET, terms):
        return
    raise problems.refusal(
        Code.OTHER_VERSION_IN_FORCE, f"programme {programme} and terms {terms} are in force here"
    )


def _naming_terminal(caller: TerminalCaller, body: shapes.Transaction) -> Terminal:
    """The caller's terminal, if its key may give this name.

    A key of an epoch may name transactions of that epoch and of older ones. So a new key can repeat
    old names, and a stolen old key can start nothing in a new epoch. Orders are named under the
    keys of one terminal of the merchant. Raises TERMINAL_MISMATCH, UNKNOWN_EPOCH,
    KEY_OF_OLDER_EPOCH, MERCHANT_MISMATCH, NOT_ONLINE.
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
        issued = body.epoch <= terminal.epoch
        raise problems.refusal(Code.KEY_OF_OLDER_EPOCH if issued else Code.UNKNOWN_EPOCH)
    return terminal


def _resolved_at(body: shapes.Transaction, now: datetime) -> datetime:
    """The time at which the identifier is resolved.

    An original that is named by its identifier: at the original's time. An inquiry: now, so that a
    caller cannot date it back to see another holder's balance; it stores nothing that a retry must
    find. What spends: at its own time, so that a repeat reaches the shard that may have answered it
    already; the road declines it if the identifier has moved since.
    """
    if body.kind is Kind.INQUIRY:
        return now
    original = body.original
    if original is UNSET or original.occurred_at is UNSET:
        return body.occurred_at
    return original.occurred_at


def _programme_version(road: Road, merchant: int, at: datetime) -> int:
    programme = in_force(road.lookups.tables.list_programmes(merchant), at)
    return 0 if programme is None else programme.version


def _terms_versions(road: Road, at: datetime, accepted_at: datetime) -> tuple[int, int]:
    """The network's terms in force at a time, and others in force at accepted_at; 0: none."""
    known = road.lookups.tables.list_terms()
    terms, accepted = in_force(known, at), in_force(known, accepted_at)
    if terms is None or accepted is None or accepted.version == terms.version:
        return 0 if terms is None else terms.version, 0
    return terms.version, accepted.version


def _envelope(
    transaction: PosTransaction,
    resolution: Resolution,
    body: shapes.Transaction | shapes.HistoricPurchase,
    fingerprint: str,
) -> Envelope[PosTransaction]:
    return Envelope(
        id=ids.uuid7(resolution.accepted_at),
        type=transactions.EVENT,
        key=str(transaction.account or transaction.original or transaction.name),
        occurred_at=body.occurred_at,
        accepted_at=resolution.accepted_at,
        fingerprint=fingerprint,
        data=transaction,
    )
