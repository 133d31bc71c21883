"""The bench's network: merchants, tills, rules and members, all through the public interface."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final
from uuid import NAMESPACE_OID, uuid5

from cluster import plan
from lab.bench.road.load import Till
from lab.bench.road.shoppers import mobile_of
from peyvand import Operator, member_import
from peyvand.administration import ImportedLine, Programme, Terms

MERCHANTS: Final = 10
TILLS: Final = 50
FIRST_MERCHANT: Final = 100
FIRST_TERMINAL: Final = 10_000_000
RECEIPTS_EVERY: Final = 10  # one member in so many wants an SMS for every transaction
START: Final = datetime(2024, 1, 1, tzinfo=UTC)
SHARE_BP: Final = 5_000

# bonus rules of several shapes, so that the engine has its ordinary work for every basket; about
# one basket in five gets one; none depends on the day or hour of the run
RULES: Final[dict[str, dict[str, Any]]] = {
    "bench-dairy": {
        "condition": {
            "some": [
                {"var": "lines"},
                {"and": [{"==": [{"var": "category"}, "dairy"]}, {">=": [{"var": "quantity"}, 4]}]},
            ]
        },
        "effect": {"fixed": {"points": 5, "per": "basket"}},
    },
    "bench-large": {
        "condition": {">=": [{"var": "amount_rial"}, 1_500_000]},
        "effect": {"multiply": {"increment_bp": 5_000}},
    },
    "bench-elsewhere": {
        "condition": {"in": [{"var": "merchant"}, [1, 2, 3]]},
        "effect": {"fixed": {"points": 1, "per": "line"}},
    },
    "bench-other-channel": {
        "condition": {
            "and": [{"==": [{"var": "channel"}, "online"]}, {">": [{"var": "amount_rial"}, 1_000]}]
        },
        "effect": {"fixed": {"points": 50, "per": "basket"}},
    },
}

Tick = Callable[[int], None]


async def open_town(cluster: plan.Cluster, *, first_terminal: int = FIRST_TERMINAL) -> list[Till]:
    """Register merchants with programmes, their tills, the terms and the rules; the tills.

    The same twice is harmless but for the tills, whose keys are shown once: name other ones then.
    """
    async with _operator(cluster) as operator:
        terms = Terms(
            effective_from=START, price_rial=100, price_points=1, fee_bp=150, backdated=True
        )
        await operator.put_terms(1, terms)
        merchants = range(FIRST_MERCHANT, FIRST_MERCHANT + MERCHANTS)
        for merchant in merchants:
            await _merchant(operator, merchant)
        await _rules(operator)
        return [await _till(operator, number, first_terminal) for number in range(TILLS)]


async def enrol(cluster: plan.Cluster, members: int, *, tick: Tick, first: int = 0) -> None:
    """Import members first .. members - 1. Raises RuntimeError when one was not taken."""
    async with _operator(cluster) as operator:
        report = await member_import.import_members(operator, _lines(first, members), progress=tick)
    if report.bad:
        raise RuntimeError(f"{len(report.bad)} members were refused, first: {report.bad[0]}")


def _operator(cluster: plan.Cluster) -> Operator:
    return Operator(cluster.url(plan.GATEWAY), cluster.credentials.operator_key("operator"))


def _lines(first: int, members: int) -> Iterable[member_import.Numbered]:
    for member in range(first, members):
        consents = {"terms": True, "receipts": member % RECEIPTS_EVERY == 0, "marketing": False}
        line = ImportedLine(mobile=mobile_of(member), name=f"عضو {member}", consents=consents)
        yield member + 1, member_import.line_of(line)


async def _merchant(operator: Operator, merchant: int) -> None:
    names = {"title_fa": f"فروشگاه {merchant}", "title_en": f"Shop {merchant}"}
    await operator.put_party(merchant, names)
    await operator.put_merchant(merchant, {"party": merchant, "sector": "supermarket", **names})
    programme = Programme(
        effective_from=START,
        earn_points=1,
        earn_per_rial=10_000,
        validity_days=365,
        redeem_max_share_bp=SHARE_BP,
        backdated=True,
        title_fa=names["title_fa"],
        title_en=names["title_en"],
    )
    await operator.put_programme(merchant, 1, programme)


async def _rules(operator: Operator) -> None:
    for name, shape in RULES.items():
        body = {
            "effective_from": START.isoformat(),
            "funder": 1,
            "title_fa": "جایزه",
            "title_en": "Bonus",
            **shape,
        }
        await operator.put_rule(name, 1, body)


async def _till(operator: Operator, number: int, first_terminal: int) -> Till:
    merchant, terminal = FIRST_MERCHANT + number % MERCHANTS, first_terminal + number
    branch = merchant * 10 + 1
    titles = {"title_fa": f"شعبهٔ {branch}", "title_en": f"Branch {branch}"}
    await operator.put_branch(merchant, branch, titles)
    await operator.put_terminal(merchant, terminal, branch=branch)
    activation = str(uuid5(NAMESPACE_OID, f"bench/{terminal}"))
    activated = await operator.activate_terminal(terminal, activation)
    if activated.key is None:
        raise RuntimeError(f"terminal {terminal} was activated before: the cluster is not new")
    return Till(terminal=terminal, epoch=activated.epoch, key=activated.key)
