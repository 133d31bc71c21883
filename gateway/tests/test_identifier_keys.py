"""Newer keys of identifiers: whoever is known under an earlier one is found at every till."""

import base64
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from contracts import keys, members
from contracts.members import IdentifierKind
from gateway.road.domain import shapes
from gateway.road.domain.unsold_identifiers import UnsoldIdentifiers
from gateway.road.usecases.identifiers import resolve_identifier
from gateway.tables import store
from gateway.tables.consumer import TablesFeed
from gateway.tables.store import Tables
from gateway.tables.usecases.lookups import make_lookups
from gateway.tables.usecases.readiness import Readiness
from kit.base import clock, errors

from .conftest import settings_of
from .fakes import CARD, OPENED, RING, ROOT, TERMINAL, identifier
from .test_consumer import records

NEW = base64.b64encode(b"n" * 32).decode()
ROTATED = keys.ring([NEW, ROOT], members.OF_IDENTIFIERS, setting="of these tests")


class Owner:
    """Members, as a gateway asks it: what it has by digest, and what it was asked."""

    def __init__(self, *known: members.Identifier) -> None:
        self.known = {one.digest: one for one in known}
        self.calls: list[str] = []

    async def find_identifier(self, digest: str) -> members.Identifier | None:
        self.calls.append(digest)
        return self.known.get(digest)


def road_of(folder: Path, ring: keys.Ring, owner: Owner, *known: members.Identifier) -> Any:
    """What resolving an identifier needs."""
    tables = Tables.open(folder, cluster="c", boot="b", map_gib=1)
    tables.apply([store.identifier_row(one) for one in known], {}, {})
    services: Any = owner
    lookups = make_lookups(settings_of("x:1", folder, 1), tables, services)
    return SimpleNamespace(
        identifier_keys=ring, lookups=lookups, unsold_identifiers=UnsoldIdentifiers(200, 600.0)
    )


async def resolved_digest(road: Any) -> str | None:
    """The digest under which the card is found at a till."""
    digest, resolved = await resolve_identifier(
        road, shapes.Identifier(card=CARD), TERMINAL, OPENED
    )
    assert resolved is not None
    assert resolved.binding.account == 1_000_001
    return digest


async def test_a_card_of_an_earlier_key_keeps_its_digest_and_asks_nobody(tmp_path: Path) -> None:
    """Its digest is in the fingerprint of its requests: a repeat over the change stays one."""
    card, owner = identifier(CARD), Owner()
    before = await resolved_digest(road_of(tmp_path / "a", RING, owner, card))
    after = await resolved_digest(road_of(tmp_path / "b", ROTATED, owner, card))
    assert before == after == card.digest
    assert owner.calls == []


@pytest.mark.parametrize("place", [0, 1])
async def test_a_card_so_new_that_no_table_has_it_is_asked_for_under_each_key(
    tmp_path: Path, place: int
) -> None:
    digests = members.digests(ROTATED, IdentifierKind.CARD, CARD)
    owner = Owner(identifier(CARD, digest=digests[place]))
    assert await resolved_digest(road_of(tmp_path / "a", ROTATED, owner)) == digests[place]
    assert owner.calls == list(digests[: place + 1])


async def test_an_unknown_card_is_unknown_under_every_key(tmp_path: Path) -> None:
    owner = Owner()
    with pytest.raises(errors.Problem) as refused:
        await resolved_digest(road_of(tmp_path / "a", ROTATED, owner))
    assert refused.value.code == "unknown-identifier"
    assert owner.calls == list(members.digests(ROTATED, IdentifierKind.CARD, CARD))


async def test_identifiers_under_a_key_that_is_not_here_raise_an_alarm_and_are_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tables = Tables.open(tmp_path / "t", cluster="c", boot="b", map_gib=1)
    given: Any = None
    feed = TablesFeed(given, tables, Readiness(False, clock.wall), given, ROTATED[:1])
    newer = members.digest(ROTATED[0], IdentifierKind.CARD, CARD)
    published = [identifier(CARD), identifier(CARD, digest=newer)]
    await feed.apply(records(published))
    assert tables.find_identifier(published[0].digest) == published[0]
    assert caplog.text.count("is missing in PEYVAND_IDENTIFIER_KEYS") == 1
    assert f"key {RING[0].key_id} is missing" in caplog.text
    assert ROTATED[0].key_id not in caplog.text
