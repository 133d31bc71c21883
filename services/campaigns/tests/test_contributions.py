"""The order in which contributors are asked about a basket, and what ends it."""

from typing import Any

import pytest

from campaigns import reasons
from campaigns.awards.domain import earning, sales
from campaigns.awards.usecases import CONTRIBUTORS, Facts
from campaigns.contributions import Basket, Contribution, Contributor, Grant
from campaigns.programmes import usecases as programmes
from campaigns.rules import usecases as rules
from contracts.values import Kind


def facts(make: Any, **changes: Any) -> Facts:
    return Facts(make.programme(**changes), make.terms(), make.terms(), None, rules.RuleCache())


def basket(make: Any, **changes: Any) -> Basket:
    return Basket(make.transaction(**changes), make.now, make.now)


def never(_: Basket, __: Any) -> Contribution:
    raise AssertionError("nobody is asked any more")


GRANT = Grant(rule="gift", version=1, funder=1, parts=((1, 7),))


def test_grants_of_all_add_up_after_the_base(make: Any) -> None:
    more: tuple[Contributor[Any], ...] = (lambda _, __: Contribution(grants=(GRANT,)),)
    sale = sales.sale_of(basket(make), facts(make), CONTRIBUTORS + more)
    assert [(a.rule, a.line, a.amount) for a in sale.earned.awards] == [
        ("base", 1, 70),
        ("base", 2, 30),
        ("gift", 1, 7),
    ]


def test_a_refusal_ends_it_and_gives_nothing(make: Any) -> None:
    asked: list[Contributor[Any]] = [lambda _, __: Contribution(grants=(GRANT,))]
    asked += [programmes.contribute, never]
    sale = sales.sale_of(basket(make), facts(make, basket_max_rial=999_999), asked)
    assert [reason.code for reason in sale.decline] == ["basket-too-large"]
    assert (sale.earned, sale.redemption) == (earning.NOTHING, None)


def test_what_does_not_earn_at_all_asks_no_further_rule(make: Any) -> None:
    known = Facts(make.programme(), None, None, None, rules.RuleCache())
    sale = sales.sale_of(basket(make), known, (*CONTRIBUTORS[:3], never))
    assert [line.reason for line in sale.earned.unearned] == [reasons.NO_TERMS]
    assert sale.earned.awards == ()


def test_a_later_contributor_finds_the_basket_as_an_earlier_one_left_it(make: Any) -> None:
    found: list[Basket] = []

    def look(given: Basket, _: Any) -> None:
        found.append(given)

    spent = basket(make, kind=Kind.REDEMPTION, points=100)
    sale = sales.sale_of(spent, facts(make), (look, *CONTRIBUTORS, look))
    first, last = found
    assert (first.transaction.amount_rial, first.base) == (1_000_000, None)
    assert sale.redemption is not None
    assert last.transaction.amount_rial == 1_000_000 - sale.redemption.points_value_rial
    assert last.base is not None


def test_without_the_base_nobody_guesses_what_the_lines_earn(make: Any) -> None:
    with pytest.raises(RuntimeError):
        sales.sale_of(basket(make), facts(make), (programmes.contribute,))
