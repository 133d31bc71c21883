"""Adding identifiers to existing accounts: permitted, counted, and notified to their members."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from contracts import envelope, topics
from contracts.members import HoldingChanged, Identifier
from contracts.values import tehran_day
from kit.base import errors, ids
from kit.base.db import Tx
from kit.stream import outbox
from members.additions import domain, store
from members.additions.domain import Addition, Enroller
from members.people import usecases as people

PARTITIONS: Final = topics.partitions(topics.MEMBERS_NOTICES, shards=1, gateways=1)


async def refuse_other_party(tx: Tx, by: Enroller, account: int) -> None:
    """Raise OfAnotherParty where a partner's key acts on an account not opened under it."""
    parties = {} if by.party is None else await store.find_parties(tx, [account])
    refused = domain.party_refusal(by, parties.get(account, 0))
    if refused is not None:
        raise refused


async def claim(tx: Tx, by: Enroller, account: int, *, now: datetime) -> None:
    """Count one addition to an account. Raises OfAnotherParty, TooManyAdditions."""
    (refused,) = await claim_all(tx, by, [account], now=now)
    if refused is not None:
        raise refused


async def claim_all(
    tx: Tx, by: Enroller, accounts: Sequence[int], *, now: datetime
) -> list[errors.Problem | None]:
    """Count one addition to each of accounts, in order; why not, where it may not be."""
    if not accounts:
        return []
    parties = {} if by.party is None else await store.find_parties(tx, accounts)
    whose = sorted({w for account in accounts for w in domain.counted(by, account)})
    day = tehran_day(now)
    counts = await store.lock_counts(tx, whose, day)
    refused, after = domain.refusals(by, accounts, parties, counts)
    await store.update_counts(tx, after, day)
    return refused


async def add(
    tx: Tx, by: Enroller, account: int, added: Sequence[Identifier], *, now: datetime
) -> None:
    """Count one addition to an account and tell who is on it.

    Raises OfAnotherParty, TooManyAdditions.
    """
    await claim(tx, by, account, now=now)
    holders = await people.list_households(tx, [account])
    publish_notices(
        tx, by, [Addition(account, holders[account], domain.spending_labels(added))], now=now
    )


def publish_notices(tx: Tx, by: Enroller, additions: Sequence[Addition], *, now: datetime) -> None:
    """Publish a notice of each addition to every member it names, whatever they consented to."""
    for addition in additions:
        if addition.identifiers:
            outbox.add(tx, _messages(by, addition, now))


def _messages(by: Enroller, addition: Addition, now: datetime) -> list[outbox.Message]:
    notice = ids.uuid7(now)
    return [
        _message(
            HoldingChanged(
                notice=notice,
                member=member,
                account=addition.account,
                change=addition.change,
                identifiers=addition.identifiers,
                at=now,
                party=by.party or 0,
            )
        )
        for member in addition.holders
    ]


def _message(notice: HoldingChanged) -> outbox.Message:
    key = str(notice.member)
    event = envelope.Envelope(
        id=envelope.follow(f"{notice.notice}@{key}", "holding-changed.v1"),
        type="holding-changed.v1",
        key=key,
        occurred_at=notice.at,
        accepted_at=notice.at,
        data=notice,
    )
    return outbox.message(topics.MEMBERS_NOTICES, event, partition=notice.member % PARTITIONS)
