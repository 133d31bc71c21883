"""Second factors: enrolled, confirmed, demanded; each code once; recovery; keys that change."""

import base64
import uuid

import pytest

from identity.main import SERVICE
from identity.second_factors import usecases
from support import services

from .conftest import PASSWORD, SARA, Network, Person

FIRST, SECOND = uuid.UUID(int=41), uuid.UUID(int=42)
GRANTS = ("money", "support", "users")
TYPED = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


async def with_factor(network: Network) -> tuple[Person, list[str]]:
    """Sara with a confirmed factor; and her recovery codes."""
    person = await network.member(GRANTS)
    await network.enrol(person, FIRST)
    confirmed = await network.confirm(person, FIRST, network.code(person))
    assert confirmed.status_code == 200, confirmed.text
    return person, confirmed.json()["recovery_codes"]


async def test_the_first_code_gives_the_session_what_was_withheld(network: Network) -> None:
    person = await network.member(GRANTS)
    other = await network.signed_in()
    assert (person.roles, person.withheld) == (["support"], ["money", "users"])
    await network.enrol(person, FIRST)
    confirmed = await network.confirm(person, FIRST, network.code(person).translate(TYPED))
    assert confirmed.json()["roles"] == ["money", "support", "users"]
    assert len(set(confirmed.json()["recovery_codes"])) == 10
    by_session = {one.session: one for one in await network.published()}
    raised = by_session[person.session]
    assert (raised.version, raised.roles, raised.withheld) == (2, GRANTS, ())
    assert by_session[other.session].ended, "a password alone opened it"


async def test_enrolling_and_confirming_again_show_nothing_again(network: Network) -> None:
    person = await network.member(GRANTS)
    await network.enrol(person, FIRST)
    again = await network.of(person, "PUT", f"/v1/second-factors/{FIRST}")
    assert (again.status_code, again.json()["uri"]) == (200, None)
    await network.confirm(person, FIRST, network.code(person))
    repeated = await network.confirm(person, FIRST, network.code(person))
    assert (repeated.status_code, repeated.json()["recovery_codes"]) == (200, None)
    assert repeated.json()["roles"] == ["money", "support", "users"]
    listed = (await network.of(person, "GET", "/v1/second-factors")).json()
    assert [item["factor"] for item in listed["items"]] == [str(FIRST)]
    assert listed["recovery_codes_left"] == 10


async def test_a_wrong_code_confirms_nothing(network: Network) -> None:
    person = await network.member(GRANTS)
    await network.enrol(person, FIRST)
    for code in (network.code(person, 5), "12345", "abc", "AAAA-BBBB-CCCC-DDDD"):
        refused = await network.confirm(person, FIRST, code)
        assert (refused.status_code, refused.json()["code"]) == (403, "code-refused")
    missing = await network.confirm(person, SECOND, network.code(person))
    assert missing.status_code == 404
    assert (await network.sign_in()).status_code == 201, "it does not count yet"


async def test_a_user_with_a_second_factor_signs_in_with_it_alone(network: Network) -> None:
    person, _ = await with_factor(network)
    network.wait(seconds=60)
    without = await network.sign_in()
    assert (without.status_code, without.json()["code"]) == (401, "code-needed")
    for code in (network.code(person, 9), "000000x", "AAAA-BBBB-CCCC-DDDD"):
        refused = await network.sign_in(code=code)
        assert (refused.status_code, refused.json()["code"]) == (401, "sign-in-refused")
    opened = await network.signed_in(code=network.code(person).translate(TYPED))
    assert (opened.roles, opened.withheld) == (["money", "support", "users"], [])


async def test_a_wrong_password_is_refused_whatever_the_code(network: Network) -> None:
    person, _ = await with_factor(network)
    network.wait(seconds=60)
    code = network.code(person)
    refused = await network.sign_in(password="not the password", code=code)
    assert refused.json()["code"] == "sign-in-refused"
    assert (await network.sign_in(code=code)).status_code == 201, "the code is not used up"


async def test_a_code_is_good_once(network: Network) -> None:
    person, _ = await with_factor(network)
    assert (await network.sign_in(code=network.code(person))).status_code == 401, "it confirmed"
    network.wait(seconds=60)
    code = network.code(person)
    assert (await network.sign_in(code=code)).status_code == 201
    assert (await network.sign_in(code=code)).status_code == 401
    assert (await network.sign_in(code=network.code(person, -1))).status_code == 401, "older"
    assert (await network.sign_in(code=network.code(person, 1))).status_code == 201


async def test_a_recovery_code_is_good_once(network: Network) -> None:
    _, codes = await with_factor(network)
    typed = codes[3].lower().replace("-", " ")
    opened = await network.signed_in(code=typed)
    assert opened.withheld == []
    assert (await network.sign_in(code=codes[3])).status_code == 401
    left = (await network.of(opened, "GET", "/v1/second-factors")).json()["recovery_codes_left"]
    assert left == 9


async def test_another_factor_takes_the_place_of_the_first_once_confirmed(
    network: Network,
) -> None:
    person, codes = await with_factor(network)
    old = network.secrets[person.user]
    network.wait(days=2)
    person = await network.signed_in(code=network.code(person))
    await network.enrol(person, SECOND)
    new = network.secrets[person.user]
    network.secrets[person.user] = old
    network.wait(seconds=60)
    assert (await network.sign_in(code=network.code(person))).status_code == 201
    network.secrets[person.user] = new
    confirmed = await network.confirm(person, SECOND, network.code(person))
    assert confirmed.status_code == 200
    assert not set(confirmed.json()["recovery_codes"]) & set(codes)
    network.wait(seconds=60)
    assert (await network.sign_in(code=network.code(person))).status_code == 201
    network.secrets[person.user] = old
    assert (await network.sign_in(code=network.code(person))).status_code == 401
    assert (await network.sign_in(code=codes[0])).status_code == 401


async def test_a_first_factor_comes_within_a_day_of_the_invitation(network: Network) -> None:
    """Who steals the password of somebody without one gets no rights by enrolling his own."""
    await network.member(GRANTS)
    network.wait(hours=24.1)
    person = await network.signed_in()
    refused = await network.of(person, "PUT", f"/v1/second-factors/{FIRST}")
    assert (refused.status_code, refused.json()["code"]) == (403, "enrolment-too-late")
    await network.accept(await network.invite())
    person = await network.signed_in()
    assert (await network.of(person, "PUT", f"/v1/second-factors/{FIRST}")).status_code == 201


async def test_a_new_invitation_begins_anew_without_the_factor(network: Network) -> None:
    _, codes = await with_factor(network)
    await network.accept(await network.invite())
    person = await network.signed_in()
    assert person.withheld == ["money", "users"]
    listed = (await network.of(person, "GET", "/v1/second-factors")).json()
    assert listed == {"items": [], "recovery_codes_left": 0}
    assert codes


async def test_a_factor_is_its_users_alone(network: Network) -> None:
    sara, _ = await with_factor(network)
    await network.accept(await network.register(uuid.UUID(int=2), "ali@example.org"))
    ali = await network.signed_in("ali@example.org")
    taken = await network.of(ali, "PUT", f"/v1/second-factors/{FIRST}")
    assert (taken.status_code, taken.json()["code"]) == (422, "already-exists-differently")
    assert (await network.confirm(ali, FIRST, network.code(sara))).status_code == 404


async def test_the_secret_is_sealed_and_comes_under_the_newest_key_by_itself(
    network: Network,
) -> None:
    person, _ = await with_factor(network)
    sealed = await kept(network)
    assert network.secrets[person.user] not in sealed
    roots = (base64.b64encode(b"e" * 32).decode(), services.root(b"d"))
    rotated = services.opened(SERVICE, network.database, network.at, identity_keys=roots)
    ring = usecases.ring_of(rotated)
    network.wait(seconds=60)
    async with network.database.transaction() as tx:
        code = network.code(person)
        assert await usecases.take_code(tx, str(SARA), ring, code=code, now=network.at.now())
    resealed = await kept(network)
    assert resealed.startswith(ring[0].head)
    network.wait(seconds=60)
    refused = await network.sign_in(code=network.code(person))
    assert (refused.status_code, refused.json()["code"]) == (503, "sealing-key-missing")


async def kept(network: Network) -> bytes:
    async with network.database.read() as tx:
        return await tx.fetchval("select sealed from second_factors")


@pytest.mark.parametrize("body", [{}, {"code": 123456}, {"code": ""}, {"code": "1" * 65}, None])
async def test_bad_input_is_refused(network: Network, body: object) -> None:
    person = await network.member(GRANTS)
    path = f"/v1/second-factors/{FIRST}/confirmation"
    assert (await network.of(person, "PUT", path, body)).status_code == 422
    assert (await network.of(person, "PUT", "/v1/second-factors/x")).status_code == 422
    assert PASSWORD
