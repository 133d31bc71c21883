"""Keys of programs: issued once, with rights of programs alone, succeeded, ended, last used."""

import asyncio
import uuid
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import envelope, topics
from contracts.identity import ApiKey
from identity.api_keys import domain
from identity.api_keys.domain import BadKeyName, BadKeyRole
from kit.base import auth, message
from kit.base.auth import Role

from .conftest import NOW, Network

KEY, NEXT = uuid.UUID(int=61), uuid.UUID(int=62)
PATH = f"/v1/api-keys/{KEY}"
BODY = {"name": "shop-sync", "roles": ["enrol:۱۲", "partners"], "ends_at": "2026-09-21T00:00:00Z"}


async def published(network: Network) -> list[ApiKey]:
    """What gateways are told of keys, in order."""
    async with network.database.read() as tx:
        rows = await tx.fetch("select body from outbox_messages order by id")
    sent = [message.decode(row["body"]) for row in rows]
    read = dict(topics.IDENTITY_SESSIONS.events)
    data = [envelope.decode(one.value or b"", read).data for one in sent]
    return [one for one in data if isinstance(one, ApiKey)]


async def issue(network: Network, **change: Any) -> Any:
    return await network.call("PUT", PATH, BODY | change)


async def succeed(network: Network, key: uuid.UUID = NEXT, overlap_s: int = 0) -> Any:
    body = {"ends_at": "2026-12-21T00:00:00Z", "overlap_s": overlap_s}
    return await network.call("PUT", f"{PATH}/successors/{key}", body)


async def test_a_key_is_shown_once_and_gateways_hear_of_it(network: Network) -> None:
    first = await issue(network)
    assert first.status_code == 201, first.text
    kind, key, secret = first.json()["text"].split("_", 2)
    assert (kind, key) == ("pvk", KEY.hex)
    again = await issue(network)
    assert (again.status_code, again.json()) == (200, first.json() | {"text": None})
    (one,) = await published(network)
    assert (one.key, one.program, one.roles) == (KEY.hex, "shop-sync", ("enrol:12", "partners"))
    assert one.sha256 == domain.digest(secret)
    shown = (await network.call("GET", PATH)).json()
    assert (shown["issued_by"], shown["used_at"], shown["successor"]) == ("tester", None, None)
    assert secret not in str(shown)


@pytest.mark.parametrize(
    "change", [{"name": "other"}, {"roles": ["support"]}, {"ends_at": "2026-09-22T00:00:00Z"}]
)
async def test_another_key_under_the_same_id_is_refused(network: Network, change: Any) -> None:
    await issue(network)
    other = await issue(network, **change)
    assert (other.status_code, other.json()["code"]) == (422, "already-exists-differently")


async def test_issued_by_many_at_once_it_is_one(network: Network) -> None:
    answers = await asyncio.gather(*(issue(network) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len([answer for answer in answers if answer.json()["text"]]) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"roles": ["users"]}, "bad-key-role"),
        ({"roles": ["owner:5"]}, "bad-key-role"),
        ({"roles": ["person"]}, "bad-key-role"),
        ({"roles": ["service"]}, "bad-key-role"),
        ({"roles": ["merchant:0"]}, "bad-key-role"),
        ({"roles": ["party:0"]}, "bad-key-role"),
        ({"roles": ["party:"]}, "bad-key-role"),
        ({"roles": ["merchant:2147483648"]}, "bad-key-role"),
        ({"roles": ["enrol:1", "enrol:2"]}, "bad-key-role"),
        ({"roles": []}, "invalid"),
        ({"name": "Shop Sync"}, "bad-key-name"),
        ({"name": "x" * 41}, "bad-key-name"),
        ({"name": "-x"}, "bad-key-name"),
        ({"ends_at": "2026-03-21T08:00:00Z"}, "bad-key-end"),
        ({"ends_at": "2027-03-23T08:00:00Z"}, "bad-key-end"),
        ({"ends_at": "2026-09-21"}, "invalid"),
        ({"secret": "mine"}, "invalid"),
    ],
)
async def test_bad_input_is_refused(network: Network, change: Any, code: str) -> None:
    answer = await issue(network, **change)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (await network.call("GET", PATH)).status_code == 404


async def test_a_successor_has_the_same_rights_and_the_one_before_ends_after_an_overlap(
    network: Network,
) -> None:
    await issue(network)
    made = await succeed(network, overlap_s=3600)
    assert made.status_code == 201, made.text
    assert made.json()["name"] == "shop-sync"
    assert made.json()["roles"] == ["enrol:12", "partners"]
    again = await succeed(network, overlap_s=3600)
    assert (again.status_code, again.json()) == (200, made.json() | {"text": None})
    first, new, old = await published(network)
    assert (first.version, new.key, old.version) == (1, NEXT.hex, 2)
    assert old.ends_at == NOW + timedelta(hours=1)
    shown = (await network.call("GET", PATH)).json()
    assert (shown["successor"], datetime.fromisoformat(shown["ends_at"])) == (
        str(NEXT), NOW + timedelta(hours=1),
    )  # fmt: skip
    third = await succeed(network, uuid.UUID(int=63))
    assert (third.status_code, third.json()["code"]) == (409, "key-ended")
    assert (await issue(network)).status_code == 200, "as it was issued"


async def test_a_successor_takes_the_id_of_no_other_key(network: Network) -> None:
    await issue(network)
    own = await succeed(network, KEY)
    assert (own.status_code, own.json()["code"]) == (422, "already-exists-differently")
    missing = await network.call(
        "PUT", f"/v1/api-keys/{NEXT}/successors/{KEY}", {"ends_at": "2026-12-21T00:00:00Z"}
    )
    assert (missing.status_code, missing.json()["code"]) == (404, "not-found")
    for overlap_s in (-1, 604_801, "1"):
        assert (await succeed(network, overlap_s=overlap_s)).status_code == 422  # type: ignore[arg-type]


async def test_a_key_ends_once_and_the_first_end_stands(network: Network) -> None:
    await issue(network)
    first = await network.call("DELETE", PATH)
    network.wait(seconds=5)
    again = await network.call("DELETE", PATH)
    assert (first.status_code, again.json()) == (200, first.json())
    assert [(one.version, one.ends_at) for one in await published(network)][-1] == (2, NOW)
    assert (await succeed(network)).json()["code"] == "key-ended"
    assert (await network.call("DELETE", f"/v1/api-keys/{NEXT}")).status_code == 404


async def test_keys_are_listed_in_pages_with_their_last_use(network: Network) -> None:
    await issue(network)
    await succeed(network)
    body = {"keys": [NEXT.hex, "f" * 32]}
    noted = await network.call("POST", "/internal/api-keys/uses", body, roles=(auth.SERVICE,))
    assert (noted.status_code, noted.json()) == (200, {"keys": 2})
    page = (await network.call("GET", "/v1/api-keys?limit=1", roles=(Role.AUDITOR,))).json()
    rest = (await network.call("GET", f"/v1/api-keys?after={page['next']}")).json()
    listed = [*page["items"], *rest["items"]]
    assert [(one["key"], one["used_at"]) for one in listed] == [
        (str(KEY), None), (str(NEXT), "2026-03-21T08:00:00Z"),
    ]  # fmt: skip
    assert rest["next"] is None


async def test_a_gateway_that_lacks_a_key_gets_what_the_topic_has(network: Network) -> None:
    await issue(network)
    path = f"/internal/api-keys/{KEY.hex}"
    answer = await network.call("GET", path, roles=(auth.SERVICE,))
    (one,) = await published(network)
    assert msgspec.json.decode(answer.content, type=ApiKey) == one


@given(st.sets(st.sampled_from([*Role, "merchant:5", "party:6", "enrol:7"]), min_size=1))
def test_every_right_but_that_over_people_may_be_a_programs(roles: set[str]) -> None:
    if Role.USERS in roles:
        with pytest.raises(BadKeyRole):
            domain.checked_roles(roles)
    else:
        assert domain.checked_roles(roles) == tuple(sorted(roles))


@pytest.mark.parametrize("name", ["", "-", "a-", "a_b", "ا", "a b", "A", "x" * 41, "a\x00"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(BadKeyName):
        domain.checked_name(name)
