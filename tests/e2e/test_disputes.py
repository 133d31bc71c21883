"""A dispute through the whole platform: opened, shown evidence, answered, decided by two."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from .load import until_answered
from .participants import PRICE_RIAL, Participants
from .people import as_, refused, with_second_factor
from .street import redemption
from .test_four_eyes import proposed
from .test_settlement import close, shopper, two_shops

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300), pytest.mark.SH14]
PDF = b"%PDF-1.7" + bytes(200_000)


async def _party_key(first: Any, second: Any, party: int) -> str:
    """The text of a key that conducts a party's disputes, issued by two."""
    ends_at = datetime.now(UTC) + timedelta(days=30)
    issuing = first.put_api_key(
        str(uuid.uuid4()), name="disputes", roles=[f"party:{party}"], ends_at=ends_at
    )
    done = await second.approve_proposal((await proposed(issuing))["proposal"])
    return str(done["result"]["content"]["text"])


async def test_a_line_is_disputed_decided_and_corrected_in_the_next_window(
    participants: Participants,
) -> None:
    mill, tea = await two_shops(participants)
    issuer, acceptor = mill.shop.party, tea.shop.party
    member = await shopper(participants, mill, 1_000)
    spent = await until_answered(tea, redemption(tea, member, 200_000, points=600))
    window = (await close(participants))["window"]
    half = 300 * PRICE_RIAL

    dispute, file = str(uuid.uuid4()), str(uuid.uuid4())
    rights = ["users", "money", "partners"]
    _, token = await with_second_factor(participants, rights)
    _, other_token = await with_second_factor(participants, rights)
    first, second = as_(participants, token), as_(participants, other_token)
    async with first, second:
        keys = [await _party_key(first, second, party) for party in (issuer, acceptor)]
        async with as_(participants, keys[0]) as opener, as_(participants, keys[1]) as other:
            opened = await opener.put_dispute(
                issuer,
                dispute,
                window=window,
                counterparty=acceptor,
                amount_rial=half,
                reason="wrong-amount",
                text="نیمی از این فروش از ما نیست",
                transactions=[spent.id],
            )
            assert (opened["state"], opened["transactions"]) == ("open", [spent.id])
            sent = await opener.put_evidence(issuer, dispute, file, PDF, title="رسید")
            assert (sent["media_type"], sent["size_bytes"]) == ("application/pdf", len(PDF))
            assert await other.evidence(acceptor, dispute, file) == PDF
            assert await refused(other.dispute(dispute, issuer)) == "role-missing"
            # a person who accepts for a party costs it something, so that waits
            await proposed(first.answer_dispute(acceptor, dispute, accepted_rial=half))
            rejected = await other.answer_dispute(acceptor, dispute, accepted_rial=0, note="درست")
            assert rejected["state"] == "rejected"
            await opener.escalate_dispute(issuer, dispute)
            deciding = first.decide_dispute(dispute, upheld_rial=half, note="حق با آسیاب است")
            name = (await proposed(deciding))["proposal"]
            assert (await opener.dispute(dispute, issuer))["state"] == "escalated"
            done = await second.approve_proposal(name)
            assert done["result"]["content"]["state"] == "upheld"
            kept = await opener.dispute(dispute, issuer)
            assert kept["steps"][-1]["approved_by"] == done["decided_by"]
    corrected = (await close(participants))["window"]
    assert kept["correction_window"] == corrected
    await _is_shown(participants, corrected, {issuer: half, acceptor: -half})
    assert (await participants.operator.reconciliation(window))["differences"] == []


async def _is_shown(participants: Participants, window: int, rials: dict[int, int]) -> None:
    """Statements of a window have a correction under disputes, and the window reconciles."""
    for party, rial in rials.items():
        statement = await participants.operator.party_statement(window, party)
        assert [one["effect_rial"] for one in statement["disputes"]] == [str(rial)]
        assert statement["corrections_rial"] == str(rial)
    assert (await participants.operator.reconciliation(window))["differences"] == []
