"""A till that holds nothing types a code and sells."""

import uuid

import pytest

from cluster import plan
from peyvand import Forbidden, Operator, Status, TillReference

from .participants import Participants, answer_of, now

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300), pytest.mark.NH24]


async def test_a_till_types_a_code_and_sells(participants: Participants) -> None:
    shop = await participants.shop("activation codes")
    member = await participants.member()
    terminal, operator = next(participants.numbers), participants.operator
    await operator.put_terminal(shop.merchant, terminal, branch=shop.branch)
    code_id, device = str(uuid.uuid4()), str(uuid.uuid4())
    issued = await operator.put_activation_code(terminal, code_id)
    typed = issued["code"].translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
    async with Operator(participants.cluster.url(plan.GATEWAY), "") as nobody:
        lost = await nobody.redeem_activation_code(typed, device)
        made = await nobody.redeem_activation_code(typed, device)
        with pytest.raises(Forbidden):
            await nobody.redeem_activation_code(typed, str(uuid.uuid4()))
    assert made.key is not None
    assert (made.terminal, made.epoch) == (terminal, lost.epoch + 1)
    till = participants.client(made.key)
    name = TillReference(terminal, made.epoch, 1)
    sale = await till.purchase(name, member.card, amount_rial=500_000, occurred_at=now())
    assert answer_of(sale).status is Status.COMPLETED
    assert (await operator.activation_code(terminal, code_id))["redeemed"] == 2
