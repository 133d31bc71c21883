"""The checks on a version of a rule before it is published."""

import re
from typing import Any, Final

from campaigns.rules.domain import book
from campaigns.rules.domain.tree import Problem, Rejected
from contracts.campaigns import RulePublished
from contracts.values import NETWORK_PARTY
from kit.base import errors

MERCHANTS_MAX: Final = 5_000
RESERVED: Final = ("base", "first-purchase")  # rule ids that lots of other origins carry
_ID: Final = re.compile(r"[a-z][a-z0-9-]{0,63}")


class RuleInvalid(errors.Invalid):
    """A rule is not valid; `problems` lists path, code and detail of each fault."""

    code = "rule-invalid"
    fa = "قاعده پذیرفته نشد؛ نشانی هر ایراد در problems آمده است."


def check_rule(published: RulePublished) -> book.Rule:
    """Everything that a version must satisfy by itself, compiled.

    Raises RuleInvalid with the path of every problem. Source: campaigns reference 1, must hold.
    """
    problems = list(_window_problems(published))
    try:
        rule = book.compile_rule(published)
    except Rejected as rejected:
        raise invalid([*problems, *rejected.problems]) from rejected
    if problems:
        raise invalid(problems)
    return rule


def check_funder(published: RulePublished, parties: set[int]) -> None:
    """Only the network, or the rule's merchants themselves, may fund a rule.

    parties: of the rule's merchants, as their programmes name them. Raises RuleInvalid.
    """
    own = bool(published.merchants) and parties == {published.funder}
    if published.funder not in (0, NETWORK_PARTY) and not own:
        detail = "0 (each merchant pays), 1 (the network), or the one party of all its merchants"
        raise invalid([Problem(path="/funder", code="not-the-payers-rule", detail=detail)])


def invalid(problems: list[Problem]) -> RuleInvalid:
    """The error that shows where a rule is wrong."""
    listed: list[dict[str, Any]] = [
        {"path": p.path, "code": p.code, "detail": p.detail} for p in problems
    ]
    text = "; ".join(f"{p.path}: {p.detail}" for p in problems)
    return RuleInvalid(f"correct the rule: {text}", problems=listed)


def _window_problems(published: RulePublished) -> list[Problem]:
    problems: list[Problem] = []
    if not _ID.fullmatch(published.rule) or published.rule in RESERVED:
        detail = f"1 to 64 of a-z, 0-9 and -, and not {' or '.join(RESERVED)}"
        problems.append(Problem(path="/rule", code="bad-id", detail=detail))
    until = published.effective_until
    if until is not None and until <= published.effective_from:
        detail = "after effective_from, or null"
        problems.append(Problem(path="/effective_until", code="empty-window", detail=detail))
    if len(published.merchants) > MERCHANTS_MAX:
        detail = f"at most {MERCHANTS_MAX}; leave it empty for all"
        problems.append(Problem(path="/merchants", code="too-many", detail=detail))
    return problems
