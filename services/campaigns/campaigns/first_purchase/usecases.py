"""Taking the count of a first purchase, its credit and its return, and the setting's versions."""

from collections.abc import Sequence

from campaigns.first_purchase import domain, store
from campaigns.first_purchase.domain import FirstPurchase, State, Version
from contracts import topics
from contracts.ledger import IssueValue, Outcome, RevokeIssue
from kit.base import errors, versions
from kit.base.db import Tx
from kit.stream import outbox
from kit.stream.consumer import Event

# ----------------------------------------------------------------------------------- what is heard


async def hear_outcomes(tx: Tx, batch: Sequence[Event]) -> None:
    """Give the credit of a first purchase once an account, and take back an unjustified one.

    batch: one poll of ledger.entries. Commands go to ledger.commands, to the partition that the
    outcome came from, stamped with its decided_at. A count once taken is never given back: an
    account whose first purchase was undone gets no second credit. An account that first bought
    while no credit was offered gets none. Source: SH5, architecture 2, findings F13 and F14.
    """
    outcomes = [(event, outcome) for event in batch if (outcome := _outcome(event)) is not None]
    purchases = [(e, o) for e, o in outcomes if domain.is_purchase(o)]
    if purchases:
        await _reserve_first_purchases(tx, purchases)
    states = [(o.account, s) for _, o in outcomes if (s := domain.issued_state(o)) is not None]
    if states:
        await store.update_states(tx, states)
    undone = [(e, o) for e, o in outcomes if domain.undoes(o)]
    if undone:
        await _take_back(tx, undone)
    back = [(e, o) for e, o in outcomes if domain.brings_back(o)]
    if back:
        await _take_back_again(tx, back)


def _outcome(event: Event) -> Outcome | None:
    if event.envelope is None or not isinstance(event.data, Outcome):
        return None
    return event.data


async def _reserve_first_purchases(tx: Tx, purchases: Sequence[tuple[Event, Outcome]]) -> None:
    newest_first = await store.list_versions(tx)
    first: dict[int, tuple[Event, FirstPurchase, Version | None]] = {}
    for event, outcome in purchases:
        if outcome.account in first or event.envelope is None:
            continue
        version = versions.in_force(newest_first, event.envelope.occurred_at)
        offered = version is not None and version.amount_rial > 0
        taken = FirstPurchase(
            account=outcome.account,
            shard=event.partition,
            name=outcome.name,
            member=outcome.member,
            version=None if version is None else version.version,
            decided_at=outcome.decided_at,
            state=State.RESERVED if offered else State.UNOFFERED,
        )
        first[outcome.account] = (event, taken, version if offered else None)
    won = await store.insert_first_purchases(tx, [first[account][1] for account in sorted(first)])
    for account, (event, taken, version) in first.items():
        if account in won and version is not None:
            _send(tx, event, domain.issue(taken, version))


async def _take_back(tx: Tx, undone: Sequence[tuple[Event, Outcome]]) -> None:
    names = {(event.partition, outcome.original) for event, outcome in undone}
    known = await store.find_first_purchases(tx, sorted(names))
    hit: dict[int, tuple[Event, FirstPurchase]] = {}
    for event, outcome in undone:
        taken = known.get((event.partition, outcome.original))
        if taken is None or taken.state in (State.RELEASED, State.UNOFFERED):
            continue
        hit.setdefault(taken.account, (event, taken))
    if not hit:
        return
    fresh = await store.update_returned(tx, sorted(hit))
    for account, (event, taken) in hit.items():
        if account in fresh:
            _send(tx, event, domain.take_back(taken))


async def _take_back_again(tx: Tx, back: Sequence[tuple[Event, Outcome]]) -> None:
    """Take back credit that was restored after its purchase was undone."""
    accounts = sorted({(event.partition, outcome.account) for event, outcome in back})
    known = await store.find_returned(tx, accounts)
    for event, outcome in back:
        taken = known.get((event.partition, outcome.account))
        if taken is not None:
            _send(tx, event, domain.take_back(taken, restored_by=outcome.sequence))


def _send(tx: Tx, event: Event, command: IssueValue | RevokeIssue) -> None:
    outcome: Outcome = event.data
    cause_id = event.envelope.id if event.envelope is not None else ""
    envelope = domain.envelope_of(command, cause_id, outcome.decided_at)
    trace = tuple(header for header in event.onward if header[0] == "traceparent")
    message = outbox.message(
        topics.LEDGER_COMMANDS, envelope, partition=event.partition, headers=trace
    )
    outbox.add(tx, [message])


# --------------------------------------------------------------------------------------- versions


async def put_version(tx: Tx, version: Version) -> bool:
    """Write down a version of the setting; False when it exists just so.

    Raises AlreadyExistsDifferently, VersionNotNext, EffectiveTooSoon.
    """
    await store.lock_versions(tx)
    newest_first = await store.list_versions(tx)
    existing = next((one for one in newest_first if one.version == version.version), None)
    if not versions.is_new(version, existing, newest_first[0] if newest_first else None):
        return False
    await store.insert_version(tx, version)
    return True


async def find_version(tx: Tx, number: int) -> Version:
    """One version as it was put. Raises NotFound."""
    for version in await store.list_versions(tx):
        if version.version == number:
            return version
    raise errors.NotFound(f"no version {number} of the first purchase's credit")
