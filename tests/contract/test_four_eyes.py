"""Every write of people either waits for a second person, or is listed with why not (0044)."""

import re

from gateway.proxy.domain import FOUR_EYES, FOUR_EYES_TO_OPEN

from .test_authority import TABLE

# One person is enough. A new route stands here or in the gateway's FOUR_EYES.
ONE_IS_ENOUGH = {
    # has a second person of its own: decision 0040
    "PUT /v1/applications/{application}",
    "PUT /v1/applications/{application}/assessment",
    "PUT /v1/applications/{application}/approval",
    "PUT /v1/applications/{application}/rejection",
    "PUT /v1/applications/{application}/withdrawal",
    "PUT /v1/applications/{application}/activation",
    # the same: decision 0043; what was left out or instructed again was approved, or is again
    "PUT /v1/windows/{window}/settlement",
    "PUT /v1/windows/{window}/settlement/approval",
    "PUT /v1/windows/{window}/settlement/withdrawal",
    "PUT /v1/windows/{window}/settlement/exclusions/{party}",
    "PUT /v1/windows/{window}/settlement/reinstruction",
    "PUT /v1/parties/{party}/sheba-changes/{change}",
    "PUT /v1/parties/{party}/sheba-changes/{change}/approval",
    # the other party answers, or two of the network decide
    "PUT /v1/parties/{party}/disputes/{dispute}",
    "PUT /v1/parties/{party}/disputes/{dispute}/escalation",
    "PUT /v1/evidence/{party}/{dispute}/{file}",
    # registers, and moves nothing by itself
    "PUT /v1/parties/{party}",
    "PUT /v1/merchants/{merchant}",
    "PUT /v1/merchants/{merchant}/branches/{branch}",
    "PUT /v1/merchants/{merchant}/terminals/{terminal}",
    "PUT /v1/users/{user}",
    # cuts what was booked; who is paid what is computed
    "PUT /v1/windows/{window}",
    # many a day, each with its limits
    "PUT /v1/terminals/{terminal}/activations/{activation}",
    "PUT /v1/terminals/{terminal}/keys/{key_id}",
    "PUT /v1/enrolments/{enrolment}",
    "POST /v1/members/import",
    "PUT /v1/members/{member}/mobiles/{identifier}",
    "PUT /v1/members/{member}/cards/{card}",
    "PUT /v1/members/{member}/consents/{request_id}",
    "PUT /v1/identifiers/{identifier_id}/bindings/{binding}",
    "PUT /v1/cases/{case_id}/verdict",
    "PUT /v1/terminals/{terminal}/activation-codes/{code_id}",
    "POST /v1/activations",
    # tells a merchant's program what happened, and moves nothing
    "PUT /v1/merchants/{merchant}/webhook-endpoints/{endpoint}",
    "PUT /v1/merchants/{merchant}/webhook-endpoints/{endpoint}/secrets/{secret}",
    "PUT /v1/merchants/{merchant}/webhook-endpoints/{endpoint}/tests/{test}",
    "POST /v1/merchants/{merchant}/webhook-endpoints/{endpoint}/replays",
    # ends or stops: nobody waits with it
    "DELETE /v1/terminals/{terminal}/keys/{key_id}",
    "DELETE /v1/terminals/{terminal}/activation-codes/{code_id}",
    "POST /v1/identifiers/{identifier_id}/block",
    "DELETE /v1/sessions",
    "DELETE /v1/sessions/{session}",
    "DELETE /v1/api-keys/{key}",
    # changes nothing
    "POST /v1/rules/evaluate",
    # of oneself
    "POST /v1/invitations/accept",
    "POST /v1/sessions",
    "PUT /v1/second-factors/{factor}",
    "PUT /v1/second-factors/{factor}/confirmation",
    "PUT /v1/password",
    "PUT /v1/proposals/{proposal}/approval",
    "PUT /v1/proposals/{proposal}/rejection",
    "PUT /v1/proposals/{proposal}/withdrawal",
}


def writes() -> set[str]:
    """Every public write of every service."""
    rows = {row for table in TABLE.values() for row in table}
    return {row for row in rows if not row.startswith("GET ") and " /v1/" in row}


def test_every_write_is_decided_by_one_or_by_two() -> None:
    two = {f"PUT {pattern}" for pattern in (*FOUR_EYES, *FOUR_EYES_TO_OPEN)}
    by_pattern = {re.sub(r"\{\w+\}", "{}", row): row for row in writes()}
    assert two <= by_pattern.keys(), "an address that no service has"
    assert {by_pattern[pattern] for pattern in two}.isdisjoint(ONE_IS_ENOUGH)
    undecided = writes() ^ (ONE_IS_ENOUGH | {by_pattern[pattern] for pattern in two})
    assert not undecided, f"add to FOUR_EYES, or here with why one is enough: {sorted(undecided)}"
