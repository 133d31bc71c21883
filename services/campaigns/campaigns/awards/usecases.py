"""A screened transaction becomes a command with its awards, once per name; and a try without it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from campaigns import reasons, settings
from campaigns.awards import store
from campaigns.awards.domain import authorisations, commands, earning, redeeming, sales
from campaigns.awards.domain.sales import Sale
from campaigns.awards.domain.stamped import Stamped, stamped_by
from campaigns.contributions import Basket
from campaigns.programmes import usecases as programmes
from campaigns.rules import usecases as rules
from contracts import topics
from contracts.envelope import Envelope
from contracts.fraud import RefusedTransaction, ScreenedTransaction, ScreeningDecision
from contracts.ledger import Inquire, Offer, PostTransaction, RefuseTransaction
from contracts.merchants import Programme, Terms
from contracts.pos import PosTransaction
from contracts.values import UNDOS, Kind, Reason, public_id
from kit.base import logs, telemetry
from kit.base.db import Tx
from kit.room import Resources
from kit.stream import dead_letters, outbox
from kit.stream.consumer import Event
from kit.stream.outbox import Message

Command = PostTransaction | RefuseTransaction | Inquire
Heard = ScreenedTransaction | RefusedTransaction

NO_NAME: Final = (-1, "")  # of nothing
_NOES: Final = ("declined", "refused")
# the contributors to a sale, in their order
CONTRIBUTORS: Final = (
    programmes.contribute,
    redeeming.contribute,
    earning.contribute,
    rules.contribute,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caches:
    """What a process holds in memory of the local tables."""

    programmes: programmes.ProgrammeCache
    rules: rules.RuleCache


def caches_of(_: Resources) -> Caches:
    """Empty at first; `opened.shared(caches_of)` gives the ones of this process."""
    return Caches(programmes=programmes.ProgrammeCache(), rules=rules.RuleCache())


class Facts(Struct, frozen=True):
    """The facts of all contributors, fetched before they are called.

    earn, spend: the terms by which points are born and spent (Stamped). cheapest: of all terms.
    authorised: of a capture, the offer that its authorisation was made by.
    """

    programme: Programme | None
    earn: Terms | None
    spend: Terms | None
    cheapest: Terms | None
    rules: rules.RuleCache
    authorised: Offer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What a basket would get, by which versions, and the explanation of each rule."""

    programme_version: int
    terms_version: int
    sale: Sale
    explanations: tuple[rules.Explanation, ...]


# -------------------------------------------------------------------------------------- the road


async def grant_awards(tx: Tx, batch: Sequence[Event], caches: Caches) -> None:
    """Turn one poll of fraud.screened into commands on ledger.commands, partition for partition.

    A name met before gets its first output again, under the repeat's own fingerprint and headers;
    a first decision is kept under (shard, name). Replays and inquiries leave none. Two statements
    whatever the size of the batch, and two more when a programme or rule was published since the
    last one. Source: architecture 2, RK1, SH14.
    """
    names = [_remembered(event) for event in batch]
    asked = [name for name in (*names, *map(_authorisation, batch)) if name is not None]
    revisions, outputs = await store.find_outputs(tx, asked)
    if revisions != (caches.programmes.revision, caches.rules.revision):
        await refresh(tx, caches)
    decisions: list[tuple[int, str, bytes, datetime]] = []
    messages: list[Message] = []
    tally: Counter[tuple[str, str]] = Counter()
    for event, name in zip(batch, names, strict=True):
        if name is not None and name in outputs and event.envelope is not None:
            message = _message(event, commands.again(outputs[name], event.envelope))
            tally["repeat", "sent-again"] += 1
        else:
            command = _decided(event, caches, outputs)
            if command is None:
                continue
            if _is_late(command):
                await _set_aside(tx, event)
            message = _message(event, _enveloped(event, command))
            labels = commands.labels_of(command)
            tally[labels] += 1
            if labels[1] in _NOES:
                _log_decline(event, command)
            if name is not None and name not in outputs and message.value is not None:
                outputs[name] = message.value
                at = event.at if event.envelope is None else event.envelope.accepted_at
                decisions.append((*name, message.value, at))
        messages.append(message)
    if decisions:
        await store.insert_decisions(tx, decisions)
    outbox.add(tx, messages)
    for labels, number in tally.items():
        telemetry.count(telemetry.Metric.OUTCOMES, *labels, by=number)


async def refuse_transaction(tx: Tx, event: Event, why: str) -> None:
    """Store "could not be decided" for one event that failed for good, or its first output again.

    why: the error's text, for the dead letter that kit writes; the till gets a stable code.
    """
    name = _remembered(event)
    _, outputs = await store.find_outputs(tx, [name] if name is not None else [])
    if name is not None and name in outputs and event.envelope is not None:
        outbox.add(tx, [_message(event, commands.again(outputs[name], event.envelope))])
        return
    command = _undecided(event, reasons.CANNOT_DECIDE)
    _log_decline(event, command)
    message = _message(event, _enveloped(event, command))
    if name is not None and name not in outputs and message.value is not None:
        at = event.at if event.envelope is None else event.envelope.accepted_at
        await store.insert_decisions(tx, [(*name, message.value, at)])
    outbox.add(tx, [message])
    telemetry.count(telemetry.Metric.OUTCOMES, command.kind.value, "refused")
    telemetry.count(telemetry.Metric.ALARMS, f"refused-{why.partition(':')[0]}")


def _log_decline(event: Event, command: Any) -> None:
    """Log a decline that campaigns itself decided, under the transaction's public id."""
    code = commands.own_no(command, event.envelope and event.envelope.data)
    if code:
        logs.declined(public_id(event.partition, command.name), code)


def lacks_facts(batch: Sequence[Event], caches: Caches) -> bool:
    """Whether the gateway saw a version of programme or terms that this process has not."""
    return any(
        isinstance(event.data, ScreenedTransaction) and _lacks(event.data, caches)
        for event in batch
        if event.envelope is not None
    )


async def refresh(tx: Tx, caches: Caches) -> None:
    """Bring what is in memory up to the local tables; two statements."""
    await programmes.refresh(tx, caches.programmes)
    await rules.refresh(tx, caches.rules)


async def prune_decisions(tx: Tx, *, before: datetime) -> int:
    """Forget first outputs of before a time, some thousands at most; gives how many went."""
    return await store.delete_decisions(tx, before=before, limit=settings.DECISIONS_PRUNED_MAX)


# ------------------------------------------------------------------------------------ one decision


def _remembered(event: Event) -> store.Name | None:
    """Under which name the event's decision is kept; None where it leaves none."""
    if event.envelope is None:
        return event.partition, commands.name_of_bytes(event.raw)
    data: Heard = event.envelope.data
    transaction = data.transaction
    if data.replayed or (transaction is not None and transaction.kind is Kind.INQUIRY):
        return None
    return event.partition, commands.name_of(data)


def _authorisation(event: Event) -> store.Name | None:
    """Under which name the authorisation of a capture was decided; None for anything else."""
    data = None if event.envelope is None else event.envelope.data
    if not isinstance(data, ScreenedTransaction) or data.transaction.kind is not Kind.CAPTURE:
        return None
    return event.partition, data.transaction.original


def _decided(event: Event, caches: Caches, outputs: dict[store.Name, bytes]) -> Command | None:
    """The command for an event; None for a replayed inquiry, which no till waits for.

    outputs: of earlier names; a capture is priced by that of its authorisation.
    """
    if event.envelope is None:
        return _undecided(event, reasons.UNDECODABLE)
    match event.envelope.data:
        case ScreenedTransaction() as screened:
            if screened.replayed:
                inquiry = screened.transaction.kind is Kind.INQUIRY
                return None if inquiry else commands.post(screened)
            authorisation = commands.posted(outputs.get(_authorisation(event) or NO_NAME))
            return _command(screened, event.envelope, caches, authorisation)
        case other:
            refused: RefusedTransaction = other
            return commands.refusal(
                refused.transaction, refused.name, refused.reason, replayed=refused.replayed
            )


def _command(
    screened: ScreenedTransaction,
    cause: Envelope[Any],
    caches: Caches,
    authorisation: PostTransaction | None,
) -> PostTransaction | RefuseTransaction | Inquire:
    transaction = screened.transaction
    declined = screened.decision is ScreeningDecision.DECLINE
    if transaction.kind is Kind.INQUIRY:
        return _inquired(screened, cause, caches)
    if declined:
        return commands.post(screened, decline=screened.reasons)
    if _lacks(screened, caches):
        return commands.refusal(transaction, transaction.name, reasons.NOT_KNOWN_IN_TIME)
    stamped = _stamped(transaction, caches)
    match transaction.kind:
        case Kind.PURCHASE | Kind.REDEMPTION:
            sale = _sale(transaction, cause, stamped, caches)
            if sale.decline:
                return commands.post(screened, decline=sale.decline)
            return commands.post(screened, earned=sale.earned, redemption=sale.redemption)
        case Kind.AUTHORISATION:
            return authorisations.authorised(screened, cause, _facts(stamped, caches))
        case Kind.CAPTURE:
            facts = _facts(stamped, caches)
            return authorisations.captured(screened, cause, facts, authorisation, CONTRIBUTORS)
        case Kind.TOP_UP:
            no = programmes.refusal_of_top_up(stamped.programme, transaction.amount_rial)
            return commands.post(screened, decline=no)
        case Kind.REFUND | Kind.REVERSAL | Kind.VOID:
            until = commands.grace(stamped.terms, cause.accepted_at)
            return commands.post(screened, grace_expires_at=until)


def _inquired(screened: ScreenedTransaction, cause: Envelope[Any], caches: Caches) -> Inquire:
    """The query; where facts are missing it is declined, which stores no outcome of the name."""
    transaction = screened.transaction
    decline = screened.reasons if screened.decision is ScreeningDecision.DECLINE else ()
    if not decline and _lacks(screened, caches):
        decline = (reasons.NOT_KNOWN_IN_TIME,)
    stamped = _stamped(transaction, caches)
    earned = earning.NOTHING
    if not decline:
        sale = _sale(transaction, cause, stamped, caches)
        earned, decline = sale.earned, sale.decline
    offer = redeeming.offer_of(stamped.programme, stamped.spend, caches.programmes.cheapest)
    return commands.inquire(transaction, offer=offer, earned=earned, decline=decline)


def _lacks(screened: ScreenedTransaction, caches: Caches) -> bool:
    """Whether a version that the gateway stamped, and that this kind needs, is not known here."""
    transaction = screened.transaction
    if screened.replayed or screened.decision is ScreeningDecision.DECLINE:
        return False
    cache = caches.programmes
    for version in (transaction.terms_version, transaction.accepted_terms_version):
        if version and programmes.find_terms(cache, version) is None:
            return True
    if transaction.kind in UNDOS or not transaction.programme_version:
        return False
    merchant, version = transaction.merchant, transaction.programme_version
    return programmes.find_programme(cache, merchant, version) is None


def _stamped(transaction: PosTransaction, caches: Caches) -> Stamped:
    """The versions that the gateway stamped; campaigns chooses no others."""
    cache = caches.programmes
    merchant, version = transaction.merchant, transaction.programme_version
    programme = programmes.find_programme(cache, merchant, version)
    terms = programmes.find_terms(cache, transaction.terms_version)
    accepted = programmes.find_terms(cache, transaction.accepted_terms_version)
    return stamped_by(programme, terms, accepted)


def _sale(
    transaction: PosTransaction, cause: Envelope[Any], stamped: Stamped, caches: Caches
) -> Sale:
    """The sale of a basket, on the road and in previews; the ledger checks the balance."""
    basket = Basket(transaction, cause.occurred_at, cause.accepted_at)
    return sales.sale_of(basket, _facts(stamped, caches), CONTRIBUTORS)


def _facts(stamped: Stamped, caches: Caches) -> Facts:
    programme, _, earn, spend = stamped
    return Facts(programme, earn, spend, caches.programmes.cheapest, caches.rules)


# ---------------------------------------------------------------------------------------- messages


def _undecided(event: Event, reason: Reason) -> RefuseTransaction:
    if event.envelope is None:
        return commands.refusal(None, commands.name_of_bytes(event.raw), reason)
    data: Heard = event.envelope.data
    return commands.refusal(
        data.transaction, commands.name_of(data), reason, replayed=data.replayed
    )


def _is_late(command: Command) -> bool:
    late = reasons.NOT_KNOWN_IN_TIME
    return isinstance(command, RefuseTransaction) and command.reason == late


async def _set_aside(tx: Tx, event: Event) -> None:
    """Dead-letter copy and alarm of a transaction whose facts did not come in time."""
    reason = reasons.NOT_KNOWN_IN_TIME
    telemetry.count(telemetry.Metric.ALARMS, reason.code)
    why = f"{reason.code}: {reason.en}"
    await dead_letters.write(tx, "campaigns", settings.ROAD_CONSUMER, event, why, limit=None)


def _enveloped(event: Event, command: Command) -> Envelope[Any]:
    if event.envelope is not None:
        return commands.envelope_of(command, event.envelope)
    if isinstance(command, RefuseTransaction):
        return commands.undecodable_envelope(command, event.at)
    raise TypeError(f"{type(command).__name__} without an envelope to follow")


def _message(event: Event, envelope: Envelope[Any]) -> Message:
    return outbox.message(
        topics.LEDGER_COMMANDS, envelope, partition=event.partition, headers=event.onward
    )


# ------------------------------------------------------------------------------------------ a try


async def evaluate(
    transaction: PosTransaction, *, occurred_at: datetime, accepted_at: datetime, caches: Caches
) -> Evaluation:
    """What a purchase or redemption would get now: the road's own code, without any side effect.

    It reports the versions in force at occurred_at. Source: campaigns reference 2.5.
    """
    programme = programmes.find_programme_as_of(
        caches.programmes, transaction.merchant, occurred_at
    )
    terms = programmes.find_terms_as_of(caches.programmes, occurred_at)
    accepted = programmes.find_terms_as_of(caches.programmes, accepted_at)
    stamped = stamped_by(programme, terms, accepted)
    cause = Envelope[None](
        id="", type="", key="", occurred_at=occurred_at, accepted_at=accepted_at, data=None
    )
    sale = _sale(transaction, cause, stamped, caches)
    explanations: list[rules.Explanation] = []
    spent = sale.redemption
    earns = programme is not None and (spent is None or programme.earns_on_paid_part)
    if programme is not None and earns and not sale.decline:
        paid = transaction if spent is None else redeeming.paid_part(transaction, spent)
        base = earning.base_of(paid, programme)
        basket = Basket(paid, occurred_at, accepted_at, base)
        explanations = await rules.explain(basket, _facts(stamped, caches))
    return Evaluation(
        programme_version=0 if programme is None else programme.version,
        terms_version=0 if terms is None else terms.version,
        sale=sale,
        explanations=tuple(explanations),
    )
