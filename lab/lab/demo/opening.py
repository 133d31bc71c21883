"""Opening day: merchants, tills, programmes and customers, all through the public interface."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar
from uuid import NAMESPACE_OID, uuid5

from lab.demo import cast
from lab.demo.purchases import Visit
from lab.demo.settling import sheba_of
from lab.demo.street import Customer, Street, Till
from peyvand import Client, Operator, Options, Retry, models
from peyvand.administration import Programme, Terms

AT_ONCE_MAX: Final = 8
TILL_VISITS, TILLS_MAX = 250, 9  # a till more for every so many visits of a branch
RECEIPTS_EVERY: Final = 10  # one customer in so many wants an SMS for every purchase
BACK: Final = timedelta(days=1)
T = TypeVar("T")
R = TypeVar("R")
Tick = Callable[[], None]


async def open_street(
    url: str, operator: Operator, visits: Sequence[Visit], *, tick: Tick
) -> Street:
    """Register everybody who appears in the visits; tick is called once for each."""
    start = visits[0].at - BACK
    await operator.put_terms(1, cast_terms(start))
    await _each(cast.MERCHANTS, lambda m: _merchant(operator, m, start), tick)
    tills = await _each(_tills(visits), lambda p: _till(url, operator, *p), tick)
    households = sorted({v.household for v in visits})
    customers = await _each(households, lambda h: _customer(operator, h), tick)
    of_branch: defaultdict[tuple[int, int], list[Till]] = defaultdict(list)
    for till in tills:
        of_branch[till.merchant, till.branch].append(till)
    return Street(
        tills=dict(of_branch),
        customers={c.household: c for c in customers},
    )


def registrations(visits: Iterable[Visit]) -> int:
    """How often open_street will tick."""
    visits = list(visits)
    return len(cast.MERCHANTS) + len(_tills(visits)) + len({v.household for v in visits})


def _tills(visits: Iterable[Visit]) -> list[tuple[int, int, int]]:
    """(merchant, branch, till): a busy branch has more of them, as a supermarket has."""
    busy = Counter((v.merchant, v.branch) for v in visits)
    return [
        (*place, till)
        for place, count in sorted(busy.items())
        for till in range(1, min(TILLS_MAX, 1 + count // TILL_VISITS) + 1)
    ]


def cast_terms(start: datetime) -> Terms:
    """The network's terms, in force from start."""
    return Terms(effective_from=start, backdated=True, **cast.TERMS)


async def _each(items: Iterable[T], make: Callable[[T], Awaitable[R]], tick: Tick) -> list[R]:
    room = asyncio.Semaphore(AT_ONCE_MAX)

    async def one(item: T) -> R:
        async with room:
            result = await make(item)
        tick()
        return result

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(item)) for item in items]
    return [task.result() for task in tasks]


async def _merchant(operator: Operator, merchant: cast.Merchant, start: datetime) -> None:
    about = {
        "title_fa": f"شرکت {merchant.party}",
        "title_en": f"Company {merchant.party}",
        "sheba": sheba_of(merchant.party),
    }
    await operator.put_party(merchant.party, about)
    await operator.put_merchant(
        merchant.number,
        {
            "party": merchant.party,
            "sector": merchant.sector,
            "title_fa": merchant.fa,
            "title_en": merchant.en,
        },
    )
    await operator.put_programme(
        merchant.number,
        1,
        Programme(effective_from=start, backdated=True, **cast.programme(merchant)),
    )


async def _till(url: str, operator: Operator, merchant: int, branch: int, till: int) -> Till:
    number = merchant * 100 + branch
    terminal = 10_000_000 + number * 10 + till
    titles = {"title_fa": f"شعبهٔ {branch}", "title_en": f"Branch {branch}"}
    await operator.put_branch(merchant, number, titles)
    await operator.put_terminal(merchant, terminal, branch=number)
    activation = str(uuid5(NAMESPACE_OID, f"demo/{terminal}"))
    activated = await operator.activate_terminal(terminal, activation)
    if activated.key is None:
        raise RuntimeError(f"terminal {terminal} was activated before: the cluster is not new")
    options = Options(connections_max=4, retry=Retry(attempts_max=40, wait_max_s=1.0))
    client = Client(url, activated.key, options=options)
    return Till(
        merchant=merchant, branch=branch, terminal=terminal, epoch=activated.epoch, client=client
    )


async def _customer(operator: Operator, household: int) -> Customer:
    enrolled = await operator.enrol(
        str(uuid5(NAMESPACE_OID, f"demo/household/{household}")),
        {
            "mobile": f"0912{household:07d}",
            "name": f"خانوار {household}",
            "consents": {
                "terms": True,
                "receipts": household % RECEIPTS_EVERY == 0,
                "marketing": False,
            },
        },
    )
    return Customer(
        household=household, account=enrolled.account, card=models.card(enrolled.card.number)
    )
