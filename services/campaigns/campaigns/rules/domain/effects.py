"""What a bonus rule gives: fixed points or a multiple of the base, capped, floored once, spread."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, cast

from msgspec import Struct

from campaigns.rules.domain import conditions
from campaigns.rules.domain.schema import BasketFacts, Read
from campaigns.rules.domain.tree import Problem, Rejected
from contracts.pos import Line
from contracts.values import BASIS_POINTS, largest_remainder

POINTS_MAX: Final = 1_000_000_000
INCREMENT_BP_MAX: Final = 1_000_000  # a hundred times the base


class Shape(Enum):
    """How a rule counts its points; the order here is the order of calculation."""

    FIXED = "fixed"  # so many points
    MULTIPLY = "multiply"  # basis points of the base earning, in addition to it


class Per(Enum):
    """What fixed points are given for."""

    BASKET = "basket"  # once, when a line qualifies
    LINE = "line"  # for each qualifying line


class CapPolicy(Enum):
    """What a cap does to an award above it."""

    TRIM = "trim"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectSpec:
    """A checked effect. amount: points, or basis points of the base. lines: None takes all that
    earn. cap_points: the most one transaction gets from this rule, None without one."""

    shape: Shape
    amount: int
    per: Per = Per.BASKET
    lines: Read | None = None
    cap_points: int | None = None
    cap_policy: CapPolicy = CapPolicy.TRIM


class Effect(Struct, frozen=True, kw_only=True):
    """Points of one rule for one transaction. parts: (line, points), ascending, none zero.

    capped: the cap that acted, if it did; with REJECT there are no parts. lines: qualified.
    """

    parts: tuple[tuple[int, int], ...] = ()
    capped: CapPolicy | None = None
    lines: int = 0

    @property
    def points(self) -> int:
        """Sum of the parts."""
        return sum(points for _, points in self.parts)


def compile_effect(raw: Any, path: str) -> EffectSpec:
    """Check an effect and compile its choice of lines.

    {"fixed": {"points": 500, "per": "basket"|"line", "lines"?: condition on a line, "cap"?: cap}}
    {"multiply": {"increment_bp": 10000, "lines"?, "cap"?}}, where 10000 doubles the base earning;
    cap: {"points": 1000, "then": "trim"|"reject"}. Raises Rejected with the paths of all problems.
    """
    shapes = {shape.value: shape for shape in Shape}
    names = list(cast("dict[str, Any]", raw)) if isinstance(raw, dict) else []
    if len(names) != 1 or names[0] not in shapes:
        raise _rejected(path, "unknown-effect", 'one of {"fixed": …}, {"multiply": …}')
    shape = shapes[names[0]]
    return _checked(shape, raw[names[0]], f"{path}/{shape.value}")


def _checked(shape: Shape, raw: Any, path: str) -> EffectSpec:
    amount_name = "points" if shape is Shape.FIXED else "increment_bp"
    amount_max = POINTS_MAX if shape is Shape.FIXED else INCREMENT_BP_MAX
    others = {"lines", "cap", "per"} if shape is Shape.FIXED else {"lines", "cap"}
    fields = _fields(raw, path, required={amount_name}, optional=others)
    problems: list[Problem] = []
    amount, per, cap, lines = 0, Per.BASKET, (None, CapPolicy.TRIM), None
    try:
        amount = _integer(fields[amount_name], f"{path}/{amount_name}", 1, amount_max)
    except Rejected as rejected:
        problems += rejected.problems
    try:
        per = Per(_word(fields.get("per", "basket"), f"{path}/per", [p.value for p in Per]))
    except Rejected as rejected:
        problems += rejected.problems
    try:
        cap = _cap(fields["cap"], f"{path}/cap") if "cap" in fields else cap
    except Rejected as rejected:
        problems += rejected.problems
    try:
        if "lines" in fields:
            lines = conditions.compile_line_condition(fields["lines"], f"{path}/lines").run
    except Rejected as rejected:
        problems += rejected.problems
    if problems:
        raise Rejected(problems)
    return EffectSpec(
        shape=shape, amount=amount, per=per, lines=lines, cap_points=cap[0], cap_policy=cap[1]
    )


def _cap(raw: Any, path: str) -> tuple[int | None, CapPolicy]:
    fields = _fields(raw, path, required={"points", "then"}, optional=set())
    points = _integer(fields["points"], f"{path}/points", 1, POINTS_MAX)
    return points, CapPolicy(_word(fields["then"], f"{path}/then", [t.value for t in CapPolicy]))


def _fields(raw: Any, path: str, *, required: set[str], optional: set[str]) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise _rejected(path, "not-an-object", "an object is wanted here")
    fields = cast("dict[str, Any]", raw)
    if missing := sorted(required - fields.keys()):
        raise _rejected(path, "missing-field", ", ".join(missing))
    if unknown := sorted(fields.keys() - required - optional):
        raise _rejected(f"{path}/{unknown[0]}", "unknown-field", ", ".join(unknown))
    return fields


def _integer(raw: Any, path: str, low: int, high: int) -> int:
    if isinstance(raw, float):
        raise _rejected(path, "float-refused", f"{raw!r}: points are integers; write one")
    if not isinstance(raw, int) or isinstance(raw, bool):
        raise _rejected(path, "wrong-type", "an integer is wanted here")
    if not low <= raw <= high:
        raise _rejected(path, "out-of-range", f"between {low} and {high}")
    return raw


def _word(raw: Any, path: str, words: list[str]) -> str:
    if raw not in words:
        raise _rejected(path, "unknown-word", f"one of {', '.join(words)}")
    return raw


def _rejected(path: str, code: str, detail: str) -> Rejected:
    return Rejected([Problem(path=path, code=code, detail=detail)])


# ------------------------------------------------------------------------------------------ giving


def give(effect: EffectSpec, basket: BasketFacts) -> Effect:
    """Points of an effect for a basket whose condition holds.

    Order: exact points of the qualifying lines (a multiplier is of the base alone, so that
    increments add: doubling and trebling give four times) → cap → one floor → spread over those
    lines by largest remainder, ties to the lower line. Only lines that the programme lets earn
    qualify. Source: loyalty reference 1.1.
    """
    chosen = _chosen(effect, basket)
    if not chosen:
        return Effect()
    numbers = [basket.earning[i].line for i in chosen]
    points, weights = _exact(effect, basket, chosen)
    capped = effect.cap_points is not None and points > effect.cap_points
    if capped and effect.cap_policy is CapPolicy.REJECT:
        return Effect(capped=CapPolicy.REJECT, lines=len(chosen))
    if capped and effect.cap_points is not None:
        points = effect.cap_points
    shares = [points] if len(weights) == 1 else largest_remainder(points, weights)
    parts = zip(numbers, shares, strict=True)
    return Effect(
        parts=tuple((line, part) for line, part in parts if part),
        capped=CapPolicy.TRIM if capped else None,
        lines=len(chosen),
    )


def _chosen(effect: EffectSpec, basket: BasketFacts) -> Sequence[int]:
    """Places in basket.earning of the lines an effect counts."""
    test = effect.lines
    if test is None:
        return range(len(basket.earning))
    earning: Sequence[Line] = basket.earning
    return [i for i, line in enumerate(earning) if test(line)]


def _exact(effect: EffectSpec, basket: BasketFacts, chosen: Sequence[int]) -> tuple[int, list[int]]:
    """Points of the transaction, floored, and the weights by which lines share them.

    The caps are whole points, so that capping after the floor is capping before it.
    """
    match effect.shape:
        case Shape.MULTIPLY:
            weights = [basket.base[i] for i in chosen]
            points = sum(weights) * effect.amount // (basket.base_denominator * BASIS_POINTS)
        case Shape.FIXED if effect.per is Per.LINE:
            weights = [1] * len(chosen)
            points = effect.amount * len(chosen)
        case Shape.FIXED:
            weights = [basket.earning[i].amount_rial for i in chosen]
            points = effect.amount
    return points, weights
