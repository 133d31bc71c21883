"""What an inquiry says of a basket before it is sold."""

from typing import Any

from campaigns.awards import usecases as awards
from campaigns.rules import usecases as rules
from contracts.values import Kind


async def test_an_inquiry_says_of_each_line_what_the_sale_will(
    grant: Any, make: Any, tx: Any, stocked: Any
) -> None:
    """NH13: a shop shows beside each line what it earns, and why one earns nothing."""
    await rules.keep_rules(tx, [make.rule()])
    await awards.refresh(tx, stocked)
    basket = make.lines(700_000, 0)
    asked = make.screened(kind=Kind.INQUIRY, lines=basket)
    bought = make.screened(name="t.1.1.9", lines=basket)
    query, sale = await grant(make.event(asked), make.event(bought, offset=1))
    earning = [(line.line, line.points, line.rule) for line in query.data.lines if line.points]
    assert earning == [(a.line, a.amount, a.rule) for a in sale.data.awards]
    assert [line for line in query.data.lines if line.reason] == list(sale.data.unearned)
    assert {line.reason.code for line in sale.data.unearned} == {"zero-amount"}
    (nothing,) = await grant(make.event(make.screened(kind=Kind.INQUIRY, lines=()), offset=2))
    assert nothing.data.lines == ()
