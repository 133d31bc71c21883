"""Users and invitations over HTTP: first, repeated, differing, missing; what an operator ends."""

import asyncio
import json
import uuid
from typing import Any

import pytest

from kit.base import auth

from .conftest import LOGIN, PASSWORD, SARA, Network

BODY = {"login": "۰۹۱۲۳۴۵۶۷۸۹", "name_fa": "سارا", "name_en": "Sara", "grants": ["support"]}
PATH = f"/v1/users/{SARA}"
OTHER = uuid.UUID(int=2)


async def test_first_repeated_and_differing(network: Network) -> None:
    first = await network.call("PUT", PATH, BODY)
    assert (first.status_code, first.json()["login"]) == (201, LOGIN)
    assert first.json()["standing"] == "invited"
    again = await network.call("PUT", PATH, BODY | {"login": "+98 912 345 6789"})
    assert (again.status_code, again.json()) == (200, first.json())
    for change in ({"login": "a@example.org"}, {"name_en": "X"}, {"grants": []}):
        other = await network.call("PUT", PATH, BODY | change)
        assert (other.status_code, other.json()["code"]) == (422, "already-exists-differently")
    taken = await network.call("PUT", f"/v1/users/{OTHER}", BODY)
    assert (taken.status_code, taken.json()["code"]) == (409, "login-taken")


async def test_two_at_once_make_one_user(network: Network) -> None:
    answers = await asyncio.gather(*(network.call("PUT", PATH, BODY) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]


async def test_users_are_found_by_id_by_login_and_in_pages(network: Network) -> None:
    for number in range(1, 6):
        login = f"user{number}@example.org"
        await network.register(uuid.UUID(int=number), login)
    one = (await network.call("GET", "/v1/users?login=USER3@Example.org")).json()
    assert [user["user"] for user in one["items"]] == [str(uuid.UUID(int=3))]
    seen, after, page = list[str](), "", {}
    for _ in range(3):
        page = (await network.call("GET", f"/v1/users?limit=2{after}")).json()
        seen += [user["login"] for user in page["items"]]
        after = f"&after={page['next']}"
    assert (seen, page["next"]) == ([f"user{number}@example.org" for number in range(1, 6)], None)
    assert (await network.call("GET", "/v1/users?login=nobody")).status_code == 422
    assert (await network.call("GET", "/v1/users?login=no@example.org")).json()["items"] == []


async def test_missing_things_are_not_found(network: Network) -> None:
    standing = {"standing": "stopped", "reason": "x"}
    for method, path, body in (
        ("GET", PATH, None),
        ("PUT", f"{PATH}/invitations/{OTHER}", None),
        ("PUT", f"{PATH}/standings/{OTHER}", standing),
        ("PUT", f"{PATH}/grants/{OTHER}", {"grants": [], "reason": "x"}),
        ("GET", f"{PATH}/changes", None),
        ("GET", f"{PATH}/sessions", None),
        ("DELETE", f"/v1/sessions/{'0' * 32}", None),
    ):
        answer = await network.call(method, path, body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found"), path


@pytest.mark.parametrize(
    "change",
    [{"login": ""}, {"login": "boss"}, {"grants": ["boss"]}, {"grants": ["merchant:5"]},
     {"name_fa": ""}, {"name_en": "x" * 201}, {"stopped": True}, {"grants": "users"},
     {"name_fa": "a\u0000"}],
)  # fmt: skip
async def test_bad_input_is_refused_in_two_languages(network: Network, change: Any) -> None:
    answer = await network.call("PUT", PATH, BODY | change)
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["fa"]
    assert (await network.call("GET", PATH)).status_code == 404


async def test_a_person_may_do_nothing_of_operators(network: Network) -> None:
    person = await network.member()
    for method, path in (
        ("GET", PATH),
        ("PUT", f"{PATH}/invitations/{OTHER}"),
        ("GET", "/v1/users"),
    ):
        answer = await network.of(person, method, path)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path


async def test_an_invitation_is_shown_once_and_a_new_one_ends_it(network: Network) -> None:
    await network.call("PUT", PATH, BODY)
    path = f"{PATH}/invitations/{uuid.UUID(int=7)}"
    first = await network.call("PUT", path)
    again = await network.call("PUT", path)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json() | {"token": None}
    newer = await network.invite()
    refused = await network.accept(first.json()["token"])
    assert (refused.status_code, refused.json()["code"]) == (403, "invitation-unknown")
    accepted = await network.accept(newer)
    assert (accepted.status_code, accepted.json()) == (200, {"user": str(SARA), "login": LOGIN})
    await network.register(OTHER, "b@example.org")
    others = await network.call("PUT", f"/v1/users/{OTHER}/invitations/{uuid.UUID(int=7)}")
    assert (others.status_code, others.json()["code"]) == (422, "already-exists-differently")


async def test_an_acceptance_again_is_answered_the_same_but_sets_no_other_password(
    network: Network,
) -> None:
    token = await network.register()
    first = await network.accept(token)
    assert (await network.call("GET", PATH)).json()["standing"] == "active"
    again = await network.accept(token)
    assert (again.status_code, again.json()) == (200, first.json())
    other = await network.accept(token, "پنج کلمهٔ بی‌ربط دیگر")
    assert (other.status_code, other.json()["code"]) == (403, "invitation-unknown")
    assert (await network.sign_in()).status_code == 201


async def test_a_used_token_is_no_way_to_guess_a_password(network: Network) -> None:
    token = await network.register()
    for _ in range(7):
        assert (await network.accept(token)).status_code == 200
    for _ in range(5):
        guessed = await network.accept(token, "پنج کلمهٔ بی‌ربط دیگر")
        assert guessed.json()["code"] == "invitation-unknown"
    assert (await network.accept(token)).json()["code"] == "too-many-attempts"


async def test_an_invitation_ends_after_its_time(network: Network) -> None:
    token = await network.register()
    network.wait(hours=72)
    assert (await network.accept(token)).json()["code"] == "invitation-unknown"
    fresh = await network.invite()
    network.wait(hours=71.9)
    assert (await network.accept(fresh)).status_code == 200


@pytest.mark.parametrize("token", ["x", "pvi_", "pvi_" + "x" * 43, "pvs_1_2", "پ" * 47])
async def test_a_token_of_nobody_opens_nothing(network: Network, token: str) -> None:
    answer = await network.accept(token)
    assert (answer.status_code, answer.json()["code"]) == (403, "invitation-unknown")


@pytest.mark.parametrize("password", ["short", "x" * 600, "1234567890123", LOGIN, "09123456789  "])
async def test_a_weak_password_is_refused_and_the_invitation_stays_good(
    network: Network, password: str
) -> None:
    token = await network.register()
    refused = await network.accept(token, password)
    assert refused.status_code == 422
    assert (await network.accept(token)).status_code == 200


async def test_no_secret_is_kept_or_told(network: Network) -> None:
    token = await network.register()
    await network.accept(token)
    person = await network.signed_in()
    async with network.database.read() as tx:
        kept = [
            json.dumps([dict(row) for row in await tx.fetch(sql)], default=str)
            for sql in (
                "select * from users", "select * from passwords", "select * from invitations",
                "select * from sessions", "select * from audit", "select * from outbox_messages",
            )
        ]  # fmt: skip
    for secret in (token, token[4:], person.token, person.token[37:], PASSWORD):
        assert not [text for text in kept if secret in text]
    trail = kept[4]
    assert LOGIN not in trail
    assert "سارا" not in trail


async def stop(network: Network, standing: str, number: int) -> Any:
    body = {"standing": standing, "reason": "از شرکت رفت"}
    return await network.call("PUT", f"{PATH}/standings/{uuid.UUID(int=number)}", body)


async def test_a_stopped_user_has_no_session_and_opens_none(network: Network) -> None:
    person = await network.member()
    stopped = await stop(network, "stopped", 11)
    assert (stopped.status_code, stopped.json()["version"]) == (201, 1)
    assert (await network.published())[-1].ended
    refused = await network.sign_in()
    assert (refused.status_code, refused.json()["code"]) == (401, "sign-in-refused")
    invited = await network.call("PUT", f"{PATH}/invitations/{OTHER}")
    assert (invited.status_code, invited.json()["code"]) == (409, "user-stopped")
    assert (await network.call("GET", PATH)).json()["standing"] == "stopped"
    assert (await stop(network, "open", 12)).status_code == 201
    assert (await network.signed_in()).session != person.session


async def test_a_change_again_does_nothing_even_after_later_ones(network: Network) -> None:
    await network.member()
    first = await stop(network, "stopped", 11)
    await stop(network, "open", 12)
    person = await network.signed_in()
    again = await stop(network, "stopped", 11)
    assert (again.status_code, again.json()) == (200, first.json())
    assert (await network.of(person, "GET", "/v1/sessions")).json()["items"]
    assert not (await network.published())[-1].ended
    other = await stop(network, "open", 11)
    assert (other.status_code, other.json()["code"]) == (422, "already-exists-differently")
    grants = {"grants": [], "reason": "از شرکت رفت"}
    mixed = await network.call("PUT", f"{PATH}/grants/{uuid.UUID(int=11)}", grants)
    assert (mixed.status_code, mixed.json()["code"]) == (422, "already-exists-differently")


async def test_other_grants_end_the_sessions_and_count_from_the_next(network: Network) -> None:
    await network.member()
    body = {"grants": ["owner:۵", "money"], "reason": "کار تازه"}
    path = f"{PATH}/grants/{uuid.UUID(int=21)}"
    changed = await network.call("PUT", path, body)
    assert (changed.status_code, changed.json()["grants"]) == (201, ["money", "owner:5"])
    assert (await network.call("PUT", path, body)).status_code == 200
    assert (await network.published())[-1].ended
    person = await network.signed_in()
    assert (person.roles, person.withheld) == (["merchant:5"], ["money"])
    assert (await network.call("PUT", PATH, BODY)).status_code == 200, "as he was registered"


async def test_changes_are_listed_newest_first_with_who_and_why(network: Network) -> None:
    await network.member()
    for number, standing in enumerate(("stopped", "open", "stopped"), 31):
        await stop(network, standing, number)
    first = (
        await network.call("GET", f"{PATH}/changes?limit=2", roles=(auth.Role.AUDITOR,))
    ).json()
    assert [one["standing"] for one in first["items"]] == ["stopped", "open"]
    assert {one["changed_by"] for one in first["items"]} == {"tester"}
    rest = (await network.call("GET", f"{PATH}/changes?before={first['next']}")).json()
    assert [one["version"] for one in rest["items"]] == [1]
    assert rest["next"] is None
