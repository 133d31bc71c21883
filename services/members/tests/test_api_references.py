"""A partner's own references at the doors: each counts within its party."""

from typing import Any

from .test_api import BODY, enrolment, ndjson


async def test_a_reference_counts_within_its_party(door: Any) -> None:
    """A file of one partner enrols none of its people as another's, nor leaves them out."""
    first = (await door("PUT", enrolment(1), BODY | {"external": "67890", "party": 4_000})).json()
    other = BODY | {"mobile": "09120000002", "external": "67890"}
    second = await door("PUT", enrolment(2), other | {"party": 4_001})
    assert second.status_code == 201
    assert second.json()["account"] != first["account"]
    body = ndjson(
        {"external": "67890", "party": 4_002, "consents": {"terms": True}},
        {"external": "67890", "party": 4_001, "consents": {"terms": True}},
        {"external": "67890", "consents": {"terms": True}},
    )
    answer = (await door("POST", "/v1/members/import", body)).json()
    assert (answer["enrolled"], answer["known"]) == (1, 1)
    assert [(b["line"], b["code"]) for b in answer["bad"]] == [(3, "external-without-party")]
    assert "party" in answer["bad"][0]["detail"]
    assert "طرف" in answer["bad"][0]["fa"]
    again = (await door("POST", "/v1/members/import", body)).json()
    assert (again["enrolled"], again["known"], again["bad"]) == (0, 2, answer["bad"])
    alone = await door("PUT", enrolment(3), other)
    assert (alone.status_code, alone.json()["code"]) == (422, "external-without-party")


async def test_a_check_enrols_nobody_and_lists_who_is_no_member(door: Any, pool: Any) -> None:
    await door("PUT", enrolment(1), BODY | {"external": "67890", "party": 4_000})
    known = {"external": "67890", "party": 4_000, "consents": {"terms": True}}
    body = ndjson(known, known | {"party": 4_001}, known | {"party": 4_001}, {"mobile": "1"})
    for _ in range(2):
        answer = (await door("POST", "/v1/members/import?check=true", body)).json()
        assert (answer["enrolled"], answer["known"]) == (0, 1)
        assert [(one["line"], one["code"]) for one in answer["bad"][:2]] == [
            (2, "unknown-member"),
            (3, "unknown-member"),
        ]
        assert [one["line"] for one in answer["bad"]] == [2, 3, 4]
    taken = (await door("POST", "/v1/members/import", body)).json()
    assert (taken["enrolled"], taken["known"]) == (1, 2)
    partner = await door("POST", "/v1/members/import?check=true", body, party=4_000)
    assert (partner.status_code, partner.json()["code"]) == (403, "member-of-another-party")
