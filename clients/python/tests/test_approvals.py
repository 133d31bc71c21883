"""What waits for a second person: an error with its proposal, and what is no such thing."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

import peyvand

AT = datetime(2026, 3, 21, tzinfo=UTC)


async def test_what_waits_for_a_second_person_is_an_error_with_its_proposal(
    scripted: Any, operator: peyvand.Operator, reply: Any
) -> None:
    proposal = {"proposal": "p-1", "state": "open", "roles": ["users"]}
    where = {"Location": "/v1/proposals/p-1"}
    waiting = reply(202, json.dumps(proposal).encode(), headers=where)
    scripted.script = [waiting]
    with pytest.raises(peyvand.ApprovalNeeded) as caught:
        await operator.put_api_key("k-1", name="x", roles=(), ends_at=AT)
    assert caught.value.proposal == proposal


@pytest.mark.parametrize("headers", [None, {"Location": "/v1/accounts/1/standings/2"}])
async def test_what_the_ledger_has_not_answered_is_no_proposal(
    scripted: Any, operator: peyvand.Operator, reply: Any, headers: dict[str, str] | None
) -> None:
    scripted.script = [reply(202, b'{"status":"pending"}', headers=headers)]
    kept = await operator.put_standing("accounts", 1, "c-1", standing="stopped", reason="x")
    assert kept == {"status": "pending"}
