"""Registering and reading parties, merchants and branches."""

from collections.abc import Collection
from datetime import datetime

from contracts import envelope, topics
from contracts import merchants as facts
from contracts.values import NETWORK_PARTY
from kit.base.db import Tx
from kit.stream import outbox
from merchants import errors
from merchants.parties import domain, store
from merchants.parties.domain import Branch, Merchant, MerchantSearch, Party, Taken


async def register_party(tx: Tx, party: Party) -> tuple[Party, bool]:
    """The party as it is kept, and whether it is new.

    Raises TwoIdentities, Differs, Taken (legal id, national id).
    """
    domain.check_identity(party)
    if await store.insert_party(tx, party):
        return party, True
    kept = await store.find_party(tx, party.party)
    if kept is None:
        raise Taken("another party has this legal id or national id")
    if kept != party:
        raise errors.Differs(f"party {party.party} is registered with other details")
    return kept, False


async def get_party(tx: Tx, party: int) -> Party:
    """The party. Raises Unknown."""
    kept = await store.find_party(tx, party)
    if kept is None:
        raise errors.Unknown(f"party {party} is not registered")
    return kept


async def list_parties(tx: Tx, parties: Collection[int]) -> dict[int, Party]:
    """Those of some parties that are registered, by number."""
    return {party.party: party for party in await store.list_parties(tx, parties)}


async def list_merchants_of(tx: Tx, party: int) -> list[int]:
    """The numbers of a party's merchants, in order."""
    return await store.list_merchants_of(tx, party)


async def lock_party(tx: Tx, party: int) -> None:
    """Hold a party until the transaction ends. Raises Unknown."""
    if not await store.lock_party(tx, party):
        raise errors.Unknown(f"party {party} is not registered")


async def register_merchant(tx: Tx, merchant: Merchant, *, now: datetime) -> tuple[Merchant, bool]:
    """The merchant as it is kept, and whether it is new; a new one's titles are published.

    Raises Unknown (party), Differs, Taken (reference).
    """
    await get_party(tx, merchant.party)
    if await store.insert_merchant(tx, merchant):
        _publish(tx, merchant, now)
        return merchant, True
    kept = await store.find_merchant(tx, merchant.merchant)
    if kept is None:
        raise Taken(f"another merchant has the reference {merchant.reference}")
    if kept != merchant:
        raise errors.Differs(f"merchant {merchant.merchant} is registered with other details")
    return kept, False


def _publish(tx: Tx, merchant: Merchant, now: datetime) -> None:
    """Other services' texts name a shop by its titles; no merchant is changed yet."""
    key, kind = f"{merchant.merchant}@1", "merchant-changed.v1"
    titles = facts.Merchant(
        merchant=merchant.merchant,
        version=1,
        party=merchant.party,
        title_fa=merchant.title_fa,
        title_en=merchant.title_en,
    )
    event = envelope.Envelope(
        id=envelope.derive_id(key, kind),
        type=kind,
        key=key,
        occurred_at=now,
        accepted_at=now,
        data=titles,
    )
    outbox.add(tx, [outbox.message(topics.MERCHANTS_MERCHANTS, event)])


async def get_merchant(tx: Tx, merchant: int) -> Merchant:
    """The merchant. Raises Unknown."""
    kept = await store.find_merchant(tx, merchant)
    if kept is None:
        raise errors.Unknown(f"merchant {merchant} is not registered")
    return kept


async def lock_merchant(tx: Tx, merchant: int) -> Merchant:
    """The merchant, held until the transaction ends. Raises Unknown."""
    kept = await store.lock_merchant(tx, merchant)
    if kept is None:
        raise errors.Unknown(f"merchant {merchant} is not registered")
    return kept


async def lock_network(tx: Tx) -> None:
    """Hold the network's own party until the transaction ends."""
    await store.lock_party(tx, NETWORK_PARTY)


async def search_merchants(tx: Tx, search: MerchantSearch) -> list[Merchant]:
    """Merchants in number order, at most search.limit."""
    return await store.list_merchants(tx, search)


async def register_branch(tx: Tx, branch: Branch) -> tuple[Branch, bool]:
    """The branch as it is kept, and whether it is new. Raises Unknown (merchant), Differs."""
    await get_merchant(tx, branch.merchant)
    if await store.insert_branch(tx, branch):
        return branch, True
    kept = await get_branch(tx, branch.merchant, branch.branch)
    if kept != branch:
        raise errors.Differs(f"branch {branch.branch} is registered with other details")
    return kept, False


async def get_branch(tx: Tx, merchant: int, branch: int) -> Branch:
    """The branch. Raises Unknown."""
    kept = await store.find_branch(tx, merchant, branch)
    if kept is None:
        raise errors.Unknown(f"merchant {merchant} has no branch {branch}; register it first")
    return kept


async def list_branches(tx: Tx, merchant: int, *, after: int, limit: int) -> list[Branch]:
    """Branches of a merchant in number order, above after. Raises Unknown (merchant)."""
    await get_merchant(tx, merchant)
    return await store.list_branches(tx, merchant, after=after, limit=limit)
