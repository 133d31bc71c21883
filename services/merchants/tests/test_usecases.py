import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from contracts import envelope, topics
from contracts import merchants as facts
from contracts.merchants import MerchantStanding, Programme, Terminal, Terms
from kit.base import errors, versions
from kit.base.db import Tx
from merchants.daily_totals import usecases as daily_totals
from merchants.errors import Differs, Unknown
from merchants.parties import usecases as parties
from merchants.parties.domain import Branch, Merchant, MerchantSearch, Party, Taken
from merchants.programmes import usecases as programmes
from merchants.terminal_status import usecases as terminal_status
from merchants.terminal_status.domain import OperatingStatus, StatusChange, Subject, SubjectKind
from merchants.terminals import domain
from merchants.terminals import usecases as terminals

NOW = datetime(2026, 3, 21, 8, 0, tzinfo=UTC)
PARTY = Party(2, "شرکت نان", "Bread Co", "10380284790")
MERCHANT = Merchant(5, 2, "bakery", "نان داغ", "Hot Bread", "H-5")
BRANCH = Branch(5, 1, "مرکزی", "Central")


async def arrange(tx: Tx) -> None:
    await parties.register_party(tx, PARTY)
    await parties.register_merchant(tx, MERCHANT, now=NOW)
    await parties.register_branch(tx, BRANCH)
    tx.take_messages()  # its titles have a test of their own


def published(tx: Tx) -> list[Any]:
    """The bodies of the transaction's messages, decoded, in order."""
    types = {name: kind for t in topics.TOPICS for name, kind in t.events.items()}
    return [envelope.decode(m.value or b"", types).data for m in tx.messages]


async def test_a_merchants_titles_are_published_once_when_it_is_registered(tx: Tx) -> None:
    await parties.register_party(tx, PARTY)
    for _ in range(2):
        await parties.register_merchant(tx, MERCHANT, now=NOW)
    titles = facts.Merchant(
        merchant=5, version=1, party=2, title_fa="نان داغ", title_en="Hot Bread"
    )
    assert published(tx) == [titles]
    assert [(m.topic, m.key) for m in tx.messages] == [("merchants.merchants", b"5@1")]


def a_programme(version: int, effective_from: datetime, **changes: object) -> Programme:
    fields = {
        "merchant": 5,
        "party": 1,
        "version": version,
        "effective_from": effective_from,
        "title_fa": "باشگاه",
        "title_en": "Club",
        "earn_points": 1,
        "earn_per_rial": 10_000,
        "earning_categories": ("bread",),
        "validity_days": 365,
    }
    return Programme(**(fields | changes))  # type: ignore[arg-type]


def some_terms(version: int, effective_from: datetime, **changes: object) -> Terms:
    fields = {
        "version": version,
        "effective_from": effective_from,
        "price_rial": 1000,
        "price_points": 1,
        "fee_bp": 150,
    }
    return Terms(**(fields | changes))  # type: ignore[arg-type]


# ----------------------------------------------------------------------------------------- parties


async def test_the_network_is_the_first_party(tx: Tx) -> None:
    assert (await parties.get_party(tx, 1)).title_fa == "پیوند"


async def test_registering_twice_changes_nothing(tx: Tx) -> None:
    await arrange(tx)
    assert await parties.register_party(tx, PARTY) == (PARTY, False)
    assert await parties.register_merchant(tx, MERCHANT, now=NOW) == (MERCHANT, False)
    assert await parties.register_branch(tx, BRANCH) == (BRANCH, False)


async def test_the_same_number_with_other_details_is_refused(tx: Tx) -> None:
    await arrange(tx)
    with pytest.raises(Differs):
        await parties.register_party(tx, Party(2, "دیگری", "Other"))
    with pytest.raises(Differs):
        await parties.register_merchant(
            tx, Merchant(5, 1, "bakery", "نان داغ", "Hot Bread"), now=NOW
        )
    with pytest.raises(Differs):
        await parties.register_branch(tx, Branch(5, 1, "دیگری", "Other"))


async def test_a_legal_id_or_reference_has_one_owner(tx: Tx) -> None:
    await arrange(tx)
    with pytest.raises(Taken):
        await parties.register_party(tx, Party(3, "دیگری", "Other", PARTY.legal_id))
    with pytest.raises(Taken):
        await parties.register_merchant(tx, Merchant(6, 2, "bakery", "د", "O", "H-5"), now=NOW)


async def test_an_unregistered_number_is_unknown(tx: Tx) -> None:
    with pytest.raises(Unknown):
        await parties.register_merchant(tx, MERCHANT, now=NOW)
    with pytest.raises(Unknown):
        await parties.register_branch(tx, BRANCH)
    with pytest.raises(Unknown):
        await parties.get_branch(tx, 5, 1)
    with pytest.raises(Unknown):
        await parties.get_merchant(tx, 5)


async def test_search_applies_its_filters(tx: Tx) -> None:
    await arrange(tx)
    await parties.register_merchant(
        tx, Merchant(6, 2, "florist", "گل ۱۰۰%_", "Flowers", "F"), now=NOW
    )
    cold = Merchant(7, 1, "bakery", "نان سرد", "Cold Bread")
    await parties.register_merchant(tx, cold, now=NOW)

    async def search(**filters: object) -> list[int]:
        query = MerchantSearch(**({"after": 0, "limit": 10} | filters))  # type: ignore[arg-type]
        return [m.merchant for m in await parties.search_merchants(tx, query)]

    assert await search() == [5, 6, 7]
    assert await search(after=5, limit=1) == [6]
    assert await search(sector="bakery") == [5, 7]
    assert await search(reference="F") == [6]
    assert await search(party=1) == [7]
    assert await search(title="نان") == [5, 7]
    assert await search(title="cold b") == [7]
    assert await search(title="bread") == []
    assert await search(title="%") == []
    assert await search(title="گل 100%_") == [6]


# --------------------------------------------------------------------------------------- terminals


async def test_a_terminal_is_published_once_when_registered(tx: Tx, now: datetime) -> None:
    await arrange(tx)
    fresh, created = await terminals.register_terminal(tx, 5, 10, branch=1, now=now)
    assert created
    assert published(tx) == [fresh]
    assert fresh == Terminal(
        terminal=10, version=1, epoch=0, merchant=5, party=2, branch=1, active=False
    )
    assert await terminals.register_terminal(tx, 5, 10, branch=1, now=now) == (fresh, False)
    assert len(tx.messages) == 1


async def test_a_terminal_elsewhere_keeps_its_number(tx: Tx, now: datetime) -> None:
    await arrange(tx)
    await parties.register_branch(tx, Branch(5, 2, "دوم", "Second"))
    await terminals.register_terminal(tx, 5, 10, branch=1, now=now)
    with pytest.raises(Differs):
        await terminals.register_terminal(tx, 5, 10, branch=2, now=now)


async def test_one_terminal_of_a_merchant_names_its_orders_and_stays_the_one(
    tx: Tx, now: datetime
) -> None:
    """Its keys alone reverse them (findings A12)."""
    await arrange(tx)
    await terminals.register_terminal(tx, 5, 10, branch=1, now=now)
    shop, _ = await terminals.register_terminal(tx, 5, 11, branch=1, now=now, online=True)
    assert shop.online
    again = await terminals.register_terminal(tx, 5, 11, branch=1, now=now, online=True)
    assert again == (shop, False)
    with pytest.raises(domain.OnlineTaken) as refused:
        await terminals.register_terminal(tx, 5, 12, branch=1, now=now, online=True)
    assert (refused.value.status, refused.value.code) == (409, "online-terminal-exists")
    for number, online in ((10, True), (11, False)):
        with pytest.raises(errors.Problem):
            await terminals.register_terminal(tx, 5, number, branch=1, now=now, online=online)
    await terminals.activate_terminal(tx, 11, uuid.UUID(int=1), secret="s" * 43, now=now)
    assert (await terminals.get_terminal(tx, 11)).online
    assert published(tx)[-1].online


async def test_activation_issues_epoch_and_key_and_says_the_full_state(
    tx: Tx, now: datetime
) -> None:
    await arrange(tx)
    await terminals.register_terminal(tx, 5, 10, branch=1, now=now)
    first = uuid.UUID(int=1)
    issued, created = await terminals.activate_terminal(tx, 10, first, secret="s" * 43, now=now)
    assert created
    assert issued.epoch == 1
    assert issued.key == f"pvt_10_{issued.key_id}_{'s' * 43}"
    again = await terminals.activate_terminal(tx, 10, first, secret="t" * 43, now=now)
    assert (again[0].epoch, again[0].key_id, again[0].key) == (1, issued.key_id, None)
    second, _ = await terminals.activate_terminal(
        tx, 10, uuid.UUID(int=2), secret="u" * 43, now=now
    )
    assert second.epoch == 2
    states = published(tx)
    kept = await terminals.get_terminal(tx, 10)
    assert [s.version for s in states] == [1, 2, 3]
    assert states[-1] == kept
    assert len(kept.keys) == 2
    assert [m.key for m in tx.messages] == [b"10@1", b"10@2", b"10@3"]
    assert not any(b"s" * 43 in (m.value or b"") for m in tx.messages)


async def test_an_activation_belongs_to_one_terminal(tx: Tx, now: datetime) -> None:
    await arrange(tx)
    for terminal in (10, 11):
        await terminals.register_terminal(tx, 5, terminal, branch=1, now=now)
    await terminals.activate_terminal(tx, 10, uuid.UUID(int=1), secret="s" * 43, now=now)
    with pytest.raises(Differs):
        await terminals.activate_terminal(tx, 11, uuid.UUID(int=1), secret="s" * 43, now=now)


async def test_rotation_and_revocation_are_published_once_each(tx: Tx, now: datetime) -> None:
    await arrange(tx)
    await terminals.register_terminal(tx, 5, 10, branch=1, now=now)
    issued, _ = await terminals.rotate_key(tx, 10, "aaaa1111", secret="s" * 43, now=now)
    assert issued.key is not None
    repeated, created = await terminals.rotate_key(tx, 10, "aaaa1111", secret="t" * 43, now=now)
    assert (repeated.key, created) == (None, False)
    gone = await terminals.revoke_key(tx, 10, "aaaa1111", now=now)
    later = await terminals.revoke_key(tx, 10, "aaaa1111", now=now + timedelta(hours=1))
    assert gone == later
    assert gone.revoked_at == now
    states = published(tx)
    assert [s.version for s in states] == [1, 2, 3]
    assert states[-1] == await terminals.get_terminal(tx, 10)
    with pytest.raises(Unknown):
        await terminals.revoke_key(tx, 10, "zzzz1111", now=now)
    with pytest.raises(Unknown):
        await terminals.rotate_key(tx, 99, "zzzz1111", secret="s" * 43, now=now)


async def test_the_newest_message_alone_rebuilds_a_terminal(tx: Tx, now: datetime) -> None:
    """A table dropped and filled from the topic, in any order, is the table that was."""
    await arrange(tx)
    for terminal in (10, 11):
        await terminals.register_terminal(tx, 5, terminal, branch=1, now=now)
        for n in range(3):
            await terminals.activate_terminal(
                tx, terminal, uuid.UUID(int=terminal * 10 + n), secret=f"{terminal}{n}", now=now
            )
    newest: dict[int, Terminal] = {}
    for state in reversed(published(tx)):
        if state.version > newest.get(state.terminal, a_version_zero(state)).version:
            newest[state.terminal] = state
    kept = await terminals.list_terminals(tx, 5, after=0, limit=10)
    assert list(newest[t.terminal] for t in kept) == kept


def a_version_zero(terminal: Terminal) -> Terminal:
    return msgspec.structs.replace(terminal, version=0)


# ---------------------------------------------------------------------------------------- versions


async def test_a_programme_is_published_with_its_merchants_party(tx: Tx, now: datetime) -> None:
    await arrange(tx)
    kept, created = await programmes.publish_programme(
        tx, a_programme(1, now), backdated=False, now=now
    )
    assert (created, kept.party) == (True, 2)
    assert published(tx) == [kept]
    assert tx.messages[0].key == b"5@1"
    assert await programmes.get_programme(tx, 5, 1) == kept
    again = await programmes.publish_programme(tx, a_programme(1, now), backdated=False, now=now)
    assert again == (kept, False)
    assert len(tx.messages) == 1
    with pytest.raises(versions.AlreadyExistsDifferently):
        await programmes.publish_programme(
            tx, a_programme(1, now, earn_points=2), backdated=False, now=now
        )


async def test_programmes_follow_one_another(tx: Tx, now: datetime) -> None:
    await arrange(tx)
    await programmes.publish_programme(tx, a_programme(1, now), backdated=False, now=now)
    with pytest.raises(versions.VersionNotNext):
        await programmes.publish_programme(tx, a_programme(3, now), backdated=True, now=now)
    with pytest.raises(versions.EffectiveTooSoon):
        await programmes.publish_programme(tx, a_programme(2, now), backdated=False, now=now)
    later = now + timedelta(seconds=60)
    await programmes.publish_programme(tx, a_programme(2, later), backdated=False, now=now)
    await programmes.publish_programme(tx, a_programme(3, later), backdated=True, now=now)
    page = await programmes.list_programmes(tx, 5, after=1, limit=10)
    assert [p.version for p in page] == [2, 3]


async def test_terms_follow_one_another(tx: Tx, now: datetime) -> None:
    kept, created = await programmes.publish_terms(
        tx, some_terms(1, now - timedelta(days=900)), backdated=False, now=now
    )
    assert created
    assert published(tx) == [kept]
    assert tx.messages[0].key == b"network@1"
    with pytest.raises(versions.AlreadyExistsDifferently):
        await programmes.publish_terms(tx, some_terms(1, now), backdated=False, now=now)
    with pytest.raises(versions.EffectiveTooSoon):
        await programmes.publish_terms(tx, some_terms(2, now), backdated=False, now=now)
    await programmes.publish_terms(tx, some_terms(2, now), backdated=True, now=now)
    assert await programmes.get_terms(tx, 1) == kept
    assert [t.version for t in await programmes.list_terms(tx, after=0, limit=10)] == [1, 2]


async def test_unknown_versions_are_not_found(tx: Tx, now: datetime) -> None:
    await arrange(tx)
    with pytest.raises(Unknown):
        await programmes.get_programme(tx, 5, 1)
    with pytest.raises(Unknown):
        await programmes.get_terms(tx, 1)
    with pytest.raises(Unknown):
        await programmes.publish_programme(
            tx, a_programme(1, now, merchant=77), backdated=False, now=now
        )


async def test_days_of_an_unknown_merchant_are_not_found(tx: Tx) -> None:
    with pytest.raises(Unknown):
        await daily_totals.list_days(tx, 77, date(2026, 1, 1), date(2026, 1, 2), limit=9)


# --------------------------------------------------------------------------------------- status


async def test_a_stop_is_published_to_the_gateways(tx: Tx, now: datetime) -> None:
    await arrange(tx)
    await terminals.register_terminal(tx, 5, 10, branch=1, now=now)
    tx.messages.clear()
    subjects = (Subject(SubjectKind.TERMINAL, 10), Subject(SubjectKind.MERCHANT, 5))
    cases = [
        (s, subject)
        for s in (OperatingStatus.STOPPED, OperatingStatus.OPEN)
        for subject in subjects
    ]
    for number, (status, subject) in enumerate(cases):
        change = StatusChange(str(uuid.UUID(int=number)), 0, status, "r", "sara", now)
        for _ in range(2):
            await terminal_status.change_status(tx, subject, change)
    assert [m.key for m in tx.messages] == [b"10@2", b"merchant/5@1", b"10@3", b"merchant/5@2"]
    states = published(tx)
    assert [s.stopped for s in states] == [True, True, False, False]
    assert states[2] == await terminals.get_terminal(tx, 10)
    assert states[3] == MerchantStanding(merchant=5, version=2, stopped=False)
