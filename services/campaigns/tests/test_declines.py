"""What campaigns itself declines is told in its log, by name, once."""

from typing import Any

from campaigns.awards import usecases as awards
from contracts.fraud import ScreeningDecision
from contracts.values import Kind, Reason

BLOCKED = Reason(code="card-blocked", fa="مسدود", en="blocked")


async def test_its_own_no_is_told_once_and_frauds_is_not(
    grant: Any, make: Any, declines: Any
) -> None:
    events = [
        make.event(make.screened(name="t.1.1.1")),
        make.event(
            make.screened(name="t.1.1.2", decision=ScreeningDecision.DECLINE, reasons=(BLOCKED,))
        ),
        make.event(make.screened(name="t.1.1.3", kind=Kind.REDEMPTION, points=1, terms_version=0)),
    ]
    for told in ([f"{events[2].partition}.t.1.1.3 no-terms"], []):  # a repeat was told before
        said = await grant(*events)
        assert [len(one.data.decline) for one in said] == [0, 1, 1]
        assert declines() == told


async def test_what_could_not_be_decided_is_told(
    tx: Any, make: Any, stocked: Any, declines: Any
) -> None:
    event = make.event(make.screened())
    await awards.refuse_transaction(tx, event, "fault: TypeError")
    (told,) = declines()
    assert told.startswith(f"{event.partition}.{event.data.transaction.name} ")
