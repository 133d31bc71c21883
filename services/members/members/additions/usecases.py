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
from members.additions.domain import Addition, Claim, Enroller
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
    (refused,) = await claim_all(tx, by, [Claim(account)], now=now)
    if refused is not None:
        raise refused


async def find_parties(tx: Tx, accounts: Sequence[int]) -> dict[int, int]:
    """The party that each account was opened under, 0: the network; of those that exist."""
    return await store.find_parties(tx, accounts) if accounts else {}


async def claim_all(
    tx: Tx, by: Enroller, claims: Sequence[Claim], *, now: datetime
) -> list[errors.Problem | None]:
    """Count each claim, in order; why not, where it may not be."""
    if not claims:
        return []
    accounts = [claim.account for claim in claims if claim.account is not None]
    parties = {} if by.party is None else await find_parties(tx, accounts)
    whose = sorted({w for claim in claims for w in domain.counted(by, claim)})
    day = tehran_day(now)
    counts = await store.lock_counts(tx, whose, day)
    refused, after = domain.refusals(by, claims, parties, counts)
    await store.update_counts(tx, after, day)
    return refused


async def add(
    tx: Tx, by: Enroller, account: int, added: Sequence[Identifier], *, now: datetime
) -> None:
    """Count one addition to an account and tell who is on it.

    Raises OfAnotherParty, TooManyAdditions.
    """
    await claim(tx, by, account, now=now)
    await publish_addition(tx, by, account, added, now=now)


async def publish_addition(
    tx: Tx, by: Enroller, account: int, added: Sequence[Identifier], *, now: datetime
) -> None:
    """Publish the notices of an addition that was counted."""
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
        id=envelope.derive_id(f"{notice.notice}@{key}", "holding-changed.v1"),
        type="holding-changed.v1",
        key=key,
        occurred_at=notice.at,
        accepted_at=notice.at,
        data=notice,
    )
    return outbox.message(topics.MEMBERS_NOTICES, event, partition=notice.member % PARTITIONS)
