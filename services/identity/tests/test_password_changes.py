"""Changing one's own password."""

from typing import Any

import pytest

from .conftest import PASSWORD, Network, Person

NEW = "پنج کلمهٔ بی‌ربط دیگر"


async def change(network: Network, person: Person, current: str, password: str) -> Any:
    body = {"current": current, "password": password}
    return await network.of(person, "PUT", "/v1/password", body)


async def test_a_new_password_counts_and_other_sessions_end(network: Network) -> None:
    person, other = await network.member(), await network.signed_in()
    changed = await change(network, person, PASSWORD, NEW)
    assert (changed.status_code, changed.json()) == (200, {"user": person.user})
    over = {one.session for one in await network.published() if one.ended}
    assert over == {other.session}
    assert (await network.sign_in()).status_code == 401
    assert (await network.sign_in(password=NEW)).status_code == 201


async def test_the_same_again_changes_nothing(network: Network) -> None:
    person = await network.member()
    first = await change(network, person, PASSWORD, NEW)
    newer = await network.signed_in(password=NEW)
    for _ in range(6):
        again = await change(network, person, PASSWORD, NEW)
        assert (again.status_code, again.json()) == (200, first.json())
    items = (await network.of(newer, "GET", "/v1/sessions")).json()["items"]
    assert newer.session in {item["session"] for item in items}, "a repeat ends nothing"


async def test_a_session_is_no_way_to_guess_a_password(network: Network) -> None:
    person = await network.member()
    for _ in range(5):
        refused = await change(network, person, "not the password", NEW)
        assert (refused.status_code, refused.json()["code"]) == (403, "password-refused")
    limited = await change(network, person, PASSWORD, NEW)
    assert (limited.status_code, limited.json()["code"]) == (429, "too-many-attempts")
    assert int(limited.headers["retry-after"]) > 800


@pytest.mark.parametrize("password", ["short", "1234567890123", "+989123456789", "x" * 513, ""])
async def test_a_weak_password_is_refused(network: Network, password: str) -> None:
    person = await network.member()
    refused = await change(network, person, PASSWORD, password)
    assert refused.status_code == 422
    assert (await network.sign_in()).status_code == 201
