"""Proposals: proposed once, decided by another, kept with what came of it (decision 0044)."""

import asyncio
import base64
import json
import uuid
from typing import Any

import pytest

from kit.base import auth
from support.trail import Trail

from .conftest import Network, Person

TERMS = "/v1/terms/9"
BODY = '{"fee_bp": 200, "title": "نرخ تازه"}'.encode()
INVITATION = f"/v1/users/{uuid.UUID(int=7)}/invitations/{uuid.UUID(int=8)}"
REASON = {"reason": "با قرارداد نمی‌خواند"}
DECISIONS = ("approval", "rejection", "withdrawal")


async def person(network: Network, number: int, *grants: str) -> Person:
    """Somebody who signed in with a password; partners and support need no second factor."""
    login = f"person{number}@example.org"
    token = await network.register(uuid.UUID(int=number), login, grants or ("partners",))
    assert (await network.accept(token)).status_code == 200
    return await network.signed_in(login)


async def post(network: Network, by: Person, target: str = TERMS, **change: Any) -> Any:
    """What a gateway brings in."""
    write = {
        "method": "PUT",
        "target": target,
        "content_type": "application/json",
        "body": base64.b64encode(BODY).decode(),
        "roles": ["partners"],
    }
    return await network.of(by, "POST", "/internal/proposals", write | change)


async def propose(network: Network, by: Person, target: str = TERMS, **change: Any) -> Any:
    answer = await post(network, by, target, **change)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def decide(network: Network, by: Person, proposal: Any, what: str = "approval") -> Any:
    path = f"/v1/proposals/{proposal['proposal']}/{what}"
    return await network.of(by, "PUT", path, REASON if what == "rejection" else None)


async def record(network: Network, proposal: Any, **change: Any) -> Any:
    """What a gateway brings back."""
    answered = {"status": 201, "body": base64.b64encode(b'{"a":1}').decode(), "is_secret": False}
    path = f"/internal/proposals/{proposal['proposal']}/result"
    return await network.call("PUT", path, answered | change, roles=(auth.SERVICE,))


async def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_a_write_is_proposed_approved_and_kept_with_what_came_of_it(
    network: Network,
) -> None:
    first, second = await person(network, 1), await person(network, 2)
    made = await post(network, first)
    proposal = made.json()
    assert made.headers["location"] == f"/v1/proposals/{proposal['proposal']}"
    assert (proposal["state"], proposal["roles"]) == ("open", ["partners"])
    assert (proposal["proposed_by"], proposal["decided_by"]) == (first.user, "")
    path = f"/v1/proposals/{proposal['proposal']}"
    whole = (await network.of(second, "GET", path)).json()
    assert whole == {"proposal": proposal, "content": json.loads(BODY)}

    approved = (await decide(network, second, proposal)).json()
    assert (approved["state"], approved["decided_by"]) == ("approved", second.user)
    inside = f"/internal/proposals/{proposal['proposal']}"
    write = (await network.call("GET", inside, roles=(auth.SERVICE,))).json()
    assert base64.b64decode(write["body"]) == BODY
    assert (write["proposed_by"], write["approved_by"]) == (first.user, second.user)
    assert (write["method"], write["target"]) == ("PUT", TERMS)

    done = (await record(network, proposal)).json()
    assert (done["state"], done["result"]) == ("executed", {"status": 201, "content": {"a": 1}})
    assert (await record(network, proposal, status=409)).json() == done, "the first one stands"
    assert (await decide(network, second, proposal)).json() == done


async def test_the_same_write_of_one_person_is_one_proposal_while_it_waits(
    network: Network,
) -> None:
    first, second = await person(network, 1), await person(network, 2)
    answers = await asyncio.gather(*(post(network, first) for _ in range(5)))
    assert [answer.status_code for answer in answers] == [202] * 5
    (name,) = {answer.json()["proposal"] for answer in answers}
    other = base64.b64encode(b"{}").decode()
    names = {
        name,
        (await propose(network, first, body=other))["proposal"],
        (await propose(network, first, f"{TERMS}0"))["proposal"],
        (await propose(network, second))["proposal"],
    }
    assert len(names) == 4
    await decide(network, second, answers[0].json())
    assert (await propose(network, first))["proposal"] not in names, "it was decided"


async def test_nobody_decides_his_own_or_without_the_right_or_its_second_factor(
    network: Network,
) -> None:
    first, support = await person(network, 1), await person(network, 2, "support")
    withheld = await person(network, 3, "money")
    proposal = await propose(network, first, roles=["partners", "money"])
    for what in DECISIONS[:2]:
        assert await refusal(await decide(network, first, proposal, what)) == (403, "own-proposal")
        answer = await decide(network, support, proposal, what)
        assert await refusal(answer) == (403, "role-missing")
        answer = await decide(network, withheld, proposal, what)
        assert await refusal(answer) == (403, "second-factor-needed")
    answer = await decide(network, support, proposal, "withdrawal")
    assert await refusal(answer) == (404, "not-found"), "he may not even see it"
    second = await person(network, 4)
    answer = await decide(network, second, proposal, "withdrawal")
    assert await refusal(answer) == (403, "not-your-proposal")
    for what in DECISIONS:
        nowhere = await decide(network, second, {"proposal": uuid.UUID(int=5)}, what)
        assert await refusal(nowhere) == (404, "not-found")
    program = await network.call("PUT", f"/v1/proposals/{proposal['proposal']}/approval")
    assert program.status_code == 403, "no program approves"
    again = (await decide(network, second, proposal)).json()
    assert again["state"] == "approved", "no refusal changed anything"


@pytest.mark.parametrize("what", ["rejection", "withdrawal"])
async def test_what_was_decided_stays_decided(network: Network, what: str) -> None:
    first, second = await person(network, 1), await person(network, 2)
    proposal = await propose(network, first)
    by = second if what == "rejection" else first
    ended = (await decide(network, by, proposal, what)).json()
    state = {"rejection": "rejected", "withdrawal": "withdrawn"}[what]
    assert (ended["state"], ended["decided_by"], ended["result"]) == (state, by.user, None)
    assert (await decide(network, by, proposal, what)).json() == ended, "repeated"
    answer = await decide(network, second, proposal)
    assert await refusal(answer) == (409, "proposal-decided")
    inside = f"/internal/proposals/{proposal['proposal']}"
    assert (await network.call("GET", inside, roles=(auth.SERVICE,))).status_code == 404
    assert (await record(network, proposal)).status_code == 404


async def test_approved_and_rejected_at_once_it_is_one_of_them(network: Network) -> None:
    first, second, third = [await person(network, number) for number in (1, 2, 3)]
    proposal = await propose(network, first)
    answers = await asyncio.gather(
        decide(network, second, proposal), decide(network, third, proposal, "rejection")
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_after_three_days_nobody_decides_and_the_same_is_proposed_anew(
    network: Network,
) -> None:
    first, second = await person(network, 1), await person(network, 2)
    early, late = await propose(network, first), await propose(network, first, f"{TERMS}0")
    network.wait(seconds=259_199)
    assert (await decide(network, second, early)).status_code == 200
    network.wait(seconds=1)
    for by, what in ((second, "approval"), (second, "rejection"), (first, "withdrawal")):
        answer = await decide(network, by, late, what)
        assert await refusal(answer) == (409, "proposal-expired")
    assert (await decide(network, second, early)).status_code == 200, "approved in time"
    anew = await propose(network, first, f"{TERMS}0")
    assert anew["proposal"] != late["proposal"]
    shown = (await network.of(first, "GET", f"/v1/proposals/{late['proposal']}")).json()
    assert (shown["proposal"]["state"], shown["proposal"]["decided_by"]) == ("expired", "")


@pytest.mark.parametrize("change", [
    ("standings", {"standing": "stopped", "reason": "x"}), ("grants", {"grants": [], "reason": "x"})
])  # fmt: skip
async def test_a_proposer_who_lost_the_right_has_proposed_nothing(
    network: Network, change: tuple[str, dict[str, Any]]
) -> None:
    first, second = await person(network, 1), await person(network, 2)
    proposal = await propose(network, first)
    path = f"/v1/users/{first.user}/{change[0]}/{uuid.uuid4()}"
    assert (await network.call("PUT", path, change[1])).status_code == 201
    answer = await decide(network, second, proposal)
    assert await refusal(answer) == (409, "proposer-not-entitled")
    rejected = await decide(network, second, proposal, "rejection")
    assert rejected.json()["reason"] == REASON["reason"]


@pytest.mark.parametrize("target", [INVITATION, f"/v1/api-keys/{uuid.UUID(int=9)}"])
async def test_one_person_gives_rights_until_another_came_in_who_may(
    network: Network, target: str
) -> None:
    """The first operator of a platform is alone: else nobody could ever be invited."""
    alone = await person(network, 1, "users")
    assert (await post(network, alone, target)).status_code == 204
    assert (await post(network, alone, TERMS)).status_code == 202, "terms wait for the second"
    other = uuid.UUID(int=2)
    token = await network.register(other, "person2@example.org", ("users",))
    assert (await post(network, alone, target)).status_code == 204, "only invited"
    await network.accept(token)
    assert (await post(network, alone, target)).status_code == 202
    stopping = {"standing": "stopped", "reason": "x"}
    path = f"/v1/users/{other}/standings/{uuid.uuid4()}"
    assert (await network.call("PUT", path, stopping)).status_code == 201
    answer = await post(network, alone, target)
    assert answer.status_code == 202, "nobody is alone again by stopping the other"


async def test_a_secret_is_shown_to_the_approver_once_and_kept_nowhere(network: Network) -> None:
    first, second = await person(network, 1), await person(network, 2)
    proposal = await propose(network, first)
    await decide(network, second, proposal)
    secret = base64.b64encode(b'{"text":"pvk_1_x"}').decode()
    shown = (await record(network, proposal, body=secret, is_secret=True)).json()
    assert shown["result"] == {"status": 201, "content": {"text": "pvk_1_x"}}
    again = (await decide(network, second, proposal)).json()
    assert again["result"] == {"status": 201, "content": None}
    async with network.database.read() as tx:
        assert await tx.fetchval("select result_body from proposals") is None


async def test_everybody_sees_his_own_and_what_he_may_decide(network: Network) -> None:
    first, second = await person(network, 1), await person(network, 2)
    support, auditor = await person(network, 3, "support"), await person(network, 4, "auditor")
    names = list[str]()
    for number in range(5):
        names.append((await propose(network, first, f"{TERMS}{number}"))["proposal"])
        network.wait(seconds=1)
    await decide(network, second, {"proposal": names[0]}, "rejection")
    newest = names[::-1]

    async def shown(by: Person, query: str = "") -> list[str]:
        seen, before = list[str](), ""
        while True:
            path = f"/v1/proposals?limit=2{query}{before}"
            page = (await network.of(by, "GET", path)).json()
            seen += [item["proposal"] for item in page["items"]]
            if page["next"] is None:
                return seen
            before = f"&before={page['next']}"

    assert [await shown(one) for one in (first, second, support, auditor)] == [
        newest, newest, [], newest
    ]  # fmt: skip
    assert await shown(first, "&selection=own") == newest
    assert await shown(first, "&selection=decidable") == await shown(second, "&selection=own") == []
    assert await shown(second, "&selection=decidable") == newest[:-1]
    path = f"/v1/proposals/{names[1]}"
    assert (await network.of(support, "GET", path)).status_code == 404
    assert (await network.of(auditor, "GET", path)).json()["content"] is None
    program = await network.call("GET", "/v1/proposals?selection=own", roles=("auditor",))
    assert program.json() == {"items": [], "next": None}
    assert (
        len((await network.call("GET", "/v1/proposals", roles=("auditor",))).json()["items"]) == 5
    )


@pytest.mark.parametrize("query", ["selection=x", "before=x", "limit=0", "limit=201"])
async def test_a_list_of_nonsense_is_refused(network: Network, query: str) -> None:
    first = await person(network, 1)
    assert (await network.of(first, "GET", f"/v1/proposals?{query}")).status_code == 422


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"body": base64.b64encode(b"{").decode()}, 400),
        ({"body": base64.b64encode(b'{"a":1,"a":2}').decode()}, 400),
        ({"body": "?"}, 422),
        ({"method": "DELETE"}, 422),
        ({"target": "/internal/x"}, 422),
        ({"roles": []}, 422),
    ],
)
async def test_a_body_that_nobody_could_read_is_not_proposed(
    network: Network, change: dict[str, Any], status: int
) -> None:
    first = await person(network, 1)
    answer = await post(network, first, **change)
    assert (answer.status_code, bool(answer.json()["fa"])) == (status, True)
    assert (await network.of(first, "GET", "/v1/proposals")).json()["items"] == []


async def test_a_reason_is_needed_to_reject_and_a_body_may_be_empty(network: Network) -> None:
    first, second = await person(network, 1), await person(network, 2)
    proposal = await propose(network, first, body="")
    path = f"/v1/proposals/{proposal['proposal']}"
    for body in ({}, {"reason": ""}, {"reason": "x" * 201}, {"reason": "x", "y": 1}):
        answer = await network.of(second, "PUT", f"{path}/rejection", body)
        assert answer.status_code == 422
    assert (await network.of(second, "GET", path)).json()["content"] is None


async def test_the_trail_has_both_names_and_no_content(network: Network) -> None:
    first, second = await person(network, 1), await person(network, 2)
    trail = await Trail.of(network.database)
    proposal = await propose(network, first)
    await decide(network, second, proposal)
    await record(network, proposal)
    both = auth.Actor(first.user, frozenset({"users"}), approved_by=second.user)
    await network.send("PUT", f"/v1/users/{first.user}/invitations/{uuid.uuid4()}", None, both)
    path = f"/v1/audit/identity?after={trail.after}"
    items = (await network.call("GET", path, roles=("auditor",))).json()["items"]
    acts = [(item["route"], item["subject"], item["approved_by"]) for item in items]
    assert acts == [
        ("POST /internal/proposals", first.user, ""),
        ("PUT /v1/proposals/{proposal}/approval", second.user, ""),
        ("PUT /internal/proposals/{proposal}/result", "tester", ""),
        ("PUT /v1/users/{user}/invitations/{invitation}", first.user, second.user),
    ]
    assert "fee_bp" not in json.dumps(items)
