"""Two people: one proposes, another approves, the platform carries it out once (decision 0044)."""

import asyncio
import uuid
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from cluster import processes
from peyvand import ApprovalNeeded, Options, Retry

from .participants import NETWORK, PRICE_RIAL, Participants, until
from .people import as_, refused, signed_in, with_second_factor

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300)]

ONCE = Options(retry=Retry(attempts_max=1))


async def proposed(call: Awaitable[Any]) -> dict[str, Any]:
    """The proposal that a person's call becomes."""
    with pytest.raises(ApprovalNeeded) as caught:
        await call
    return caught.value.proposal


@pytest.mark.SH14
async def test_a_party_is_stopped_by_one_person_and_opened_by_two(
    participants: Participants,
) -> None:
    """Also where the service dies between the approval and its being carried out."""
    shop = await participants.shop("four eyes")
    sara, token = await with_second_factor(participants, ["money"])
    reza, other_token = await with_second_factor(participants, ["money"])
    _, _, auditor = await signed_in(participants, ["auditor"])
    first, second = as_(participants, token), as_(participants, other_token)
    async with first, second, auditor:
        stopping = {"standing": "stopped", "reason": "settlement overdue"}
        await first.put_standing("parties", shop.party, str(uuid.uuid4()), **stopping)
        change, opening = str(uuid.uuid4()), {"standing": "open", "reason": "paid"}
        waiting = await proposed(first.put_standing("parties", shop.party, change, **opening))
        name = waiting["proposal"]
        assert (waiting["state"], waiting["roles"]) == ("open", ["money"])
        assert await refused(first.approve_proposal(name)) == "own-proposal"
        assert await refused(auditor.approve_proposal(name)) == "role-missing"
        assert await refused(participants.operator.approve_proposal(name)) == "role-missing"
        assert await refused(first.standing("parties", shop.party, change)) == "not-found"
        assert name in [
            one["proposal"] for one in (await second.proposals(selection="decidable")).items
        ]
        assert (await second.proposal(name))["content"] == opening

        processes.kill(participants.cluster, "merchants")
        try:
            async with as_(participants, other_token, ONCE) as impatient:
                away = await refused(impatient.approve_proposal(name))
            assert away == "service-unavailable"
            assert (await second.proposal(name))["proposal"]["state"] == "approved"
        finally:
            processes.start(participants.cluster, "merchants")
            await asyncio.to_thread(processes.wait_ready, participants.cluster, ["merchants"])
        done = await second.approve_proposal(name)
        assert (done["state"], done["decided_by"]) == ("executed", reza)
        assert done["result"]["content"]["change"] == change
        assert await second.approve_proposal(name) == done, "once"

        async def is_open() -> bool:
            return (await first.standings("parties", shop.party))["standing"] == "open"

        await until(is_open)
        changes = (await first.standings("parties", shop.party))["items"]
        assert [one["changed_by"] for one in changes] == [sara, sara]
        trail = await auditor.page(f"/v1/audit/merchants?subject={sara}")
    route = "PUT /v1/parties/{party}/standings/{change}"
    acts = [one["approved_by"] for one in trail.items if one["route"] == route]
    assert acts == ["", reza], "stopped by one, opened by two"


async def test_a_programs_key_is_issued_by_two_and_shown_once(
    participants: Participants,
) -> None:
    shop = await participants.shop("four eyes, a key")
    _, token = await with_second_factor(participants, ["users"])
    _, other_token = await with_second_factor(participants, ["users"])
    first, second = as_(participants, token), as_(participants, other_token)
    ends_at, key = datetime.now(UTC) + timedelta(days=30), str(uuid.uuid4())
    roles = [f"merchant:{shop.merchant}"]
    async with first, second:
        issuing = first.put_api_key(key, name="shop-sync", roles=roles, ends_at=ends_at)
        name = (await proposed(issuing))["proposal"]
        assert await refused(first.api_key(key)) == "not-found"
        done = await second.approve_proposal(name)
        text = done["result"]["content"]["text"]
        assert (await first.api_key(key))["name"] == "shop-sync"
        assert (await first.proposal(name))["proposal"]["result"]["content"] is None
        successor = first.put_successor(key, str(uuid.uuid4()), ends_at=ends_at)
        rejected = (await proposed(successor))["proposal"]
        assert (await second.reject_proposal(rejected, reason="too early"))["state"] == "rejected"
        assert await refused(second.approve_proposal(rejected)) == "proposal-decided"
    async with as_(participants, text) as program:
        assert (await program.merchant(shop.merchant))["merchant"] == shop.merchant


@pytest.mark.SH14
async def test_two_people_correct_an_account_by_hand(participants: Participants) -> None:
    """What a failed till owed is given; more than there is is not taken."""
    shop = await participants.shop("four eyes, by hand")
    member = await participants.member()
    adding = {
        "direction": "add",
        "unit": "NP",
        "amount": 40,
        "issuer": shop.party,
        "funder": NETWORK,
        "cost_rial": 40 * PRICE_RIAL,
        "reason": "پایانه خراب بود",
    }
    taking = {"direction": "take", "unit": "NP", "issuer": shop.party, "reason": "دو بار"}
    program = participants.operator.put_adjustment(member.account, str(uuid.uuid4()), adding)
    assert await refused(program) == "second-person-needed"
    sara, token = await with_second_factor(participants, ["money"])
    reza, other_token = await with_second_factor(participants, ["money"])
    first, second = as_(participants, token), as_(participants, other_token)

    async def adjusted(fields: dict[str, Any]) -> dict[str, Any]:
        adjustment = str(uuid.uuid4())
        waiting = await proposed(first.put_adjustment(member.account, adjustment, fields))
        await second.approve_proposal(waiting["proposal"])
        return await until(
            partial(first.adjustment, member.account, adjustment),
            lambda kept: kept["status"] != "pending",
        )

    async with first, second:
        given = await adjusted(adding)
        assert (given["status"], given["proposed_by"], given["approved_by"]) == (
            "completed", sara, reza
        )  # fmt: skip
        assert (await participants.balance(member))["points"] == 40
        declined = await adjusted(taking | {"amount": 41})
        assert (declined["status"], declined["code"]) == ("declined", "insufficient-value")
        assert declined["fa"]
        assert (await adjusted(taking | {"amount": 15}))["status"] == "completed"
        assert (await participants.balance(member))["points"] == 25
        page = await first.adjustments(member.account)
        assert [one["version"] for one in page.items] == [3, 2, 1]
