"""A closed window is paid through the bank's files: one payout rejected, then paid; all booked."""

import uuid
from typing import Any

import pytest
from defusedxml import ElementTree as Xml

from contracts.iran import sheba_check_digits
from peyvand import Forbidden, Status

from .load import until_answered
from .participants import NETWORK, PRICE_RIAL, Participants, until
from .street import redemption
from .test_settlement import close, positions, shopper, two_shops

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300), pytest.mark.SH14]
WORTH_RIAL = 2_000_000  # above the minimum payout
HEADINGS = "reference,status,amount_rial,reason\n"


def sheba_of(party: int) -> str:
    account = f"012{party:019d}"
    return f"IR{sheba_check_digits(account)}{account}"


async def answer(participants: Participants, window: int, *lines: str) -> None:
    await participants.operator.put_bank_answer(
        window, str(uuid.uuid4()), content=HEADINGS + "".join(f"{line}\n" for line in lines)
    )


async def account(participants: Participants, party: int) -> None:
    """Where a party is paid, proposed by one and approved by another."""
    change = str(uuid.uuid4())
    await participants.operator.put_sheba_change(
        party, change, sheba=sheba_of(party), reason="letter of the bank"
    )
    await participants.treasurer.approve_sheba_change(party, change)


def live(report: dict[str, Any], direction: str) -> list[dict[str, Any]]:
    return [
        line
        for line in report["instructions"]
        if (line["direction"], line["state"]) == (direction, "instructed")
    ]


def paid(line: dict[str, Any]) -> str:
    """The bank's line that an instruction was carried out."""
    return f"{line['reference']},paid,{line['amount_rial']},"


async def test_a_window_is_paid_and_its_pairs_are_booked(participants: Participants) -> None:
    operator, treasurer = participants.operator, participants.treasurer
    one, other = await two_shops(participants)
    points = WORTH_RIAL // PRICE_RIAL
    member = await shopper(participants, one, points)
    request = redemption(other, member, 4 * WORTH_RIAL, points=points)
    assert (await until_answered(other, request)).status is Status.COMPLETED
    window = (await close(participants))["window"]
    proposed = (await operator.put_settlement(window))["settlement"]
    targets = {line["party"]: int(line["target_rial"]) for line in proposed["parties"]}
    assert sum(targets.values()) == 0
    assert targets[one.shop.party] < 0 < targets[other.shop.party]
    for party in (party for party, rial in targets.items() if rial > 0 and party != NETWORK):
        await account(participants, party)
    with pytest.raises(Forbidden):
        await operator.approve_settlement(window)
    report = await treasurer.approve_settlement(window)
    collections = [
        f"{line['reference']},paid,{line['amount_rial']}," for line in live(report, "collection")
    ]
    await answer(participants, window, *collections)

    report = await operator.settlement(window)
    assert report["state"] == "paying"
    rejected, *others = live(report, "payout")
    document = Xml.fromstring(await operator.payment_file(window, 1))
    sums = [node.text for node in document.iter() if node.tag.endswith("CtrlSum")]
    assert sums[0] == str(sum(int(line["amount_rial"]) for line in (rejected, *others)))
    refusal = f"{rejected['reference']},rejected,,AC04"
    await answer(participants, window, refusal, *map(paid, others))
    assert (await operator.reinstruct(window))["lines"] == 1
    (again,) = live(await operator.settlement(window), "payout")
    await answer(participants, window, paid(again))

    async def settled() -> dict[str, Any]:
        return await operator.settlement(window)

    done = await until(settled, lambda shown: shown["bookings_pending"] == 0)
    assert (done["state"], done["bookings_declined"]) == ("completed", 0)
    following = (await close(participants))["window"]
    kept = await positions(participants, following)
    for till in (one, other):
        assert kept[till.shop.party]["closing_rial"] == 0
    assert (await operator.reconciliation(following))["differences"] == []
