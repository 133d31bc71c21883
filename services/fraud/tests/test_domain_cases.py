"""Pure rules of cases and of alerts."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts.values import Status
from fraud.alerts.domain import AlertKind, NameSeen, alerts
from fraud.cases import domain as cases
from kit.base import errors

pytestmark = pytest.mark.SH15

NOW = datetime(2025, 6, 1, 9, 0, tzinfo=UTC)


def case(**fields: object) -> cases.Case:
    review = cases.Review(
        case_id="c-1",
        shard=3,
        name="t.1.1.1",
        account=1,
        member=1,
        merchant=7,
        terminal=1,
        amount_rial=1,
        opened_at=NOW,
        due_at=NOW + timedelta(hours=72),
        reasons=(),
    )
    given_fields: dict[str, object] = {
        "number": 1,
        "review": review,
        "status": cases.CaseStatus.OPEN,
        "ledger_status": Status.UNDER_REVIEW,
        "outcome": None,
        "note": "",
        "reviewer": "",
        "decided_at": None,
    }
    return cases.Case(**(given_fields | fields))  # type: ignore[arg-type]


def test_a_case_is_decided_once_after_it_was_heard_and_before_it_is_due() -> None:
    release, cancel = cases.ReviewOutcome.RELEASE, cases.ReviewOutcome.CANCEL
    assert cases.check_outcome(case(), release, "", now=NOW)
    given_case = case(outcome=release, note="ok", status=cases.CaseStatus.DECIDED)
    late = NOW + timedelta(days=9)
    assert not cases.check_outcome(given_case, release, "ok", now=late)
    table = [
        (given_case, cancel, NOW, "already-decided"),
        (case(status=cases.CaseStatus.WAITING), release, NOW, "outcome-not-heard-yet"),
        (case(status=cases.CaseStatus.VOID), release, NOW, "nothing-held"),
        (case(), release, NOW + timedelta(hours=72), "past-due"),
        (case(status=cases.CaseStatus.EXPIRED), release, NOW, "past-due"),
    ]
    for one, outcome, now, code in table:
        with pytest.raises(errors.Conflict) as refused:
            cases.check_outcome(one, outcome, "ok", now=now)
        assert refused.value.code == code


@pytest.mark.parametrize(
    ("status", "then"),
    [
        (Status.UNDER_REVIEW, "open"),
        (Status.COMPLETED, "void"),
        (Status.DECLINED, "void"),
        (Status.REFUSED, "void"),
    ],
)
def test_the_outcome_of_an_earning_opens_or_voids_its_case(status: Status, then: str) -> None:
    assert cases.earning_outcome(1, "t.1.1.1", status).case_status.value == then


def test_the_answer_to_a_verdict_closes_its_case() -> None:
    release, cancel = cases.ReviewOutcome.RELEASE, cases.ReviewOutcome.CANCEL
    assert cases.answered(release, completed=True) is cases.CaseStatus.RELEASED
    assert cases.answered(cancel, completed=True) is cases.CaseStatus.CANCELLED
    for outcome in (release, cancel):
        assert cases.answered(outcome, completed=False) is cases.CaseStatus.REFUSED


def test_a_commands_name_tells_its_case() -> None:
    assert cases.command_name("c-1") == "v.c-1"
    assert cases.case_id_of(cases.command_name("c-1")) == "c-1"


def name_seen(shard: int, fingerprint: str = "f", name: str = "t.1.1.1") -> NameSeen:
    return NameSeen(
        name=name,
        terminal=1,
        merchant=7,
        shard=shard,
        account=shard,
        fingerprint=fingerprint,
        seen_at=NOW,
    )


def test_a_name_on_two_shards_is_raised_by_what_differs() -> None:
    found = alerts(
        [name_seen(1), name_seen(2), name_seen(3, "other"), name_seen(1, name="t.1.1.2")]
    )
    assert [(a.kind, a.first.shard, a.second.shard) for a in found] == [
        (AlertKind.TWO_SHARDS, 1, 2),
        (AlertKind.TWO_PAYLOADS, 1, 3),
    ]
