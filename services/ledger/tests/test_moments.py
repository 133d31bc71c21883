"""Readings as of any moment: each equals that of a second book where only the prefix was posted."""

import random
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import pytest_asyncio
from msgspec.structs import replace

from contracts.value import CaptureHold, HoldValue, RedemptionTerms
from kit.base.db import Database
from ledger.log.domain import as_of
from ledger.main import SERVICE
from support import services
from support.callers import Vouched

from . import generators, postgres
from .doors import SECRET, Stopped
from .one_shard import GROCER, award
from .oracle import SecondModel

SHARD, OTHER = 3, 7
ACCOUNTS = (2_001_000, 2_001_001, 2_001_002)
OTHERS = (2_002_000, 2_002_001)
NOBODY = 2_003_000  # of which no shard has heard


class Reader:
    """The application over one book, at a time of the test's choosing."""

    def __init__(self, client, stopped):
        self.client = client
        self.clock = stopped

    async def __call__(self, path, **query):
        given = {k: v for k, v in query.items() if v is not None}
        answer = await self.client.get(
            path, params=given, auth=Vouched("ledger", SECRET, {"auditor"})
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def all(self, path, cursor="after", limit=7, **query):
        """All items of a list, page by page."""
        items, place = [], None
        while True:
            page = await self(path, limit=limit, **query, **({cursor: place} if place else {}))
            items += page["items"]
            place = page["next"]
            if place is None:
                return items


@pytest_asyncio.fixture
async def book(fresh_database):
    """(database, reader), as many as a test asks for."""
    opened = []

    async def make():
        database = await Database.open(await fresh_database("ledger"), size=2, command_timeout_s=30)
        stopped = Stopped(generators.START)
        app = services.application(
            SERVICE, services.opened(SERVICE, database, stopped, actor_secret=SECRET)
        )
        transport = httpx.ASGITransport(app=app)
        client = httpx.AsyncClient(transport=transport, base_url="http://ledger")
        opened.append((database, client))
        return database, Reader(client, stopped)

    yield make
    for database, client in opened:
        await client.aclose()
        await database.close()


SEEDS_MAX = 400


def told(seed, commands, accounts=ACCOUNTS, cases=()):
    """Envelopes of a story that get a number of their own, and when each is decided.

    The first story from a seed on in which these rare cases occur.
    """
    for number in range(seed, seed + SEEDS_MAX):
        model, heard, decided = of_seed(number, commands, accounts)
        if all(model.seen[case] for case in cases):
            return heard, decided
    raise AssertionError(f"no story from {seed} on has all of {cases}")


def of_seed(seed, commands, accounts):
    model = SecondModel(SHARD)
    story = generators.Story(
        seed,
        accounts=accounts,
        lots=model.lot_owners,
        holds=lambda: model.holds,
    )
    heard, decided, now = [], [], generators.START
    for _ in range(commands):
        envelope = story.one()
        if model.hear(envelope).disposition == "posted":
            now = max(now, envelope.accepted_at)
            heard.append(envelope)
            decided.append(now)
    return model, heard, decided


async def post(database, shard, heard, rng):
    """In batches of any size."""
    while heard:
        size = rng.choice((1, 2, 30, 130))
        await postgres.post(database, postgres.events(shard, heard[:size]))
        heard = heard[size:]


async def readings(reader, cut, limit=200, **moment):
    """Everything that can be read as of a moment, without what names the moment itself."""
    found = {}
    shard_moment = {"sequence": cut[SHARD]} if moment.get("by_number") else moment
    book_moment = {"vector": as_of.vector_text(cut)} if moment.get("by_number") else moment
    for account in (*ACCOUNTS, NOBODY):
        path = f"/v1/accounts/{account}"
        balance = await reader(f"{path}/balance", **shard_moment)
        # whose shard it is, is known from later on too
        own = ("as_of", "final", "shard", "sequence")
        found[account, "balance"] = {k: v for k, v in balance.items() if k not in own}
        for which in ("open", "all"):
            lots = await reader.all(f"{path}/lots", limit=limit, which=which, **shard_moment)
            found[account, which] = lots
    found["positions"] = await reader.all("/v1/positions", limit=limit, **book_moment)
    found["vintages"] = await reader.all("/v1/vintages", limit=limit, **book_moment)
    return found


@pytest.mark.parametrize(
    ("seed", "cases"),
    [
        (53, ("debt", "debt repaid", "capture-hold completed", "post-transaction held")),
        (160, ("child of an expired lot", "cancel-pending completed")),
    ],
)
async def test_as_of_a_cut_reads_as_the_prefix_alone(book, seed, cases):
    """The whole book is read by small pages, the prefix by large ones."""
    rng = random.Random(seed)
    (whole, reader), (part, prefix) = await book(), await book()
    heard, decided = told(seed, 110, cases=cases)
    others, _ = told(seed + 50, 50, accounts=OTHERS)
    await post(whole, SHARD, heard, rng)
    await post(whole, OTHER, others, rng)
    reader.clock.at = decided[-1] + timedelta(days=9)
    cuts = sorted({0, len(heard), *rng.sample(range(1, len(heard)), 4)})
    done = {SHARD: 0, OTHER: 0}
    for cut in cuts:
        other = rng.randrange(done[OTHER], len(others) + 1)
        for shard, story, end in ((SHARD, heard, cut), (OTHER, others, other)):
            await post(part, shard, story[done[shard] : end], rng)
            done[shard] = end
        vector = dict.fromkeys(range(12), 0) | done
        prefix.clock.at = decided[cut - 1] if cut else datetime(1970, 1, 1, tzinfo=UTC)
        expected = await readings(prefix, vector)
        assert await readings(reader, vector, limit=9, by_number=True) == expected
        assert await readings(prefix, vector, by_number=True) == expected


@pytest.mark.parametrize(
    ("seed", "cases"),
    [
        (18, ("expire-lot completed", "release-pending completed", "event", "due booked")),
        (51, ("clawback from another lot", "extend-lot completed", "renewed")),
    ],
)
async def test_as_of_a_time_reads_what_was_decided_by_then(book, seed, cases):
    rng = random.Random(seed)
    (whole, reader), (part, prefix) = await book(), await book()
    heard, decided = told(seed, 110, cases=cases)
    await post(whole, SHARD, heard, rng)
    reader.clock.at = decided[-1] + timedelta(days=9)
    done = 0
    instants = {decided[0], decided[-1], *rng.sample(decided, 3)}
    instants |= {at - timedelta(microseconds=1) for at in instants}
    instants |= {at + timedelta(hours=1) for at in rng.sample(decided, 2)}
    for at in sorted(instants):
        cut = sum(one <= at for one in decided)
        await post(part, SHARD, heard[done:cut], rng)
        done = cut
        prefix.clock.at = at
        vector = dict.fromkeys(range(12), 0) | {SHARD: cut}
        expected = await readings(prefix, vector)
        assert await readings(reader, vector, limit=9, at=at.isoformat()) == expected


async def test_a_moment_says_when_nothing_more_can_belong_to_it(book):
    database, reader = await book()
    heard, decided = told(6, 30)
    await post(database, SHARD, heard, random.Random(6))
    reader.clock.at = decided[-1] + timedelta(hours=1)
    path = f"/v1/accounts/{ACCOUNTS[0]}/balance"
    assert (await reader(path, at=decided[-2].isoformat()))["final"] is (decided[-2] < decided[-1])
    assert not (await reader(path, at=decided[-1].isoformat()))["final"]
    assert (await reader(path, sequence=len(heard)))["final"]
    assert not (await reader(path))["final"]
    persian = str(len(heard)).translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
    assert await reader(path, sequence=persian) == await reader(path, sequence=len(heard))


async def test_a_page_can_be_followed_at_the_vector_of_the_first(book):
    database, reader = await book()
    heard, decided = told(7, 120)
    await post(database, SHARD, heard[:60], random.Random(7))
    reader.clock.at = decided[-1]
    first = await reader("/v1/positions", limit=1)
    vector = as_of.vector_text({int(k): v for k, v in first["vector"].items()})
    before = await reader.all("/v1/positions", vector=vector)
    await post(database, SHARD, heard[60:], random.Random(7))
    assert await reader.all("/v1/positions", vector=vector) == before
    assert await reader.all("/v1/positions") != before


async def test_statements_under_random_filters_equal_a_full_scan(book):
    database, reader = await book()
    rng = random.Random(8)
    heard, decided = told(8, 260)
    await post(database, SHARD, heard, rng)
    reader.clock.at = decided[-1] + timedelta(days=1)
    for unit in ("NP", "CR"):
        path = f"/v1/accounts/{ACCOUNTS[0]}/statement"
        whole = await reader.all(path, unit=unit, order="oldest")
        assert len(whole) > 3
        assert [line["account_sequence"] for line in whole] == list(range(1, len(whole) + 1))
        total = 0
        for line in whole:
            total += line["amount"]
            assert line["balance"] == total
        for _ in range(40):
            await check_filters(reader, path, unit, whole, decided, rng)


async def check_filters(reader, path, unit, whole, decided, rng):
    some = lambda choice: choice if rng.random() < 0.5 else None  # noqa: E731
    query = {
        "after": some(rng.randrange(len(whole) + 3)),
        "before": some(rng.randrange(1, len(whole) + 3)),
        "since": some(rng.choice(decided) + timedelta(microseconds=rng.randrange(-1, 2))),
        "until": some(rng.choice(decided) + timedelta(microseconds=rng.randrange(-1, 2))),
        "flow": rng.choice(("all", "credits", "debits")),
        "order": rng.choice(("newest", "oldest")),
        "limit": rng.randrange(1, 12),
    }
    wanted = [line for line in whole if matches(line, query)]
    if query["order"] == "newest":
        wanted.reverse()
    sent = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in query.items()}
    page = await reader(path, unit=unit, **sent)
    assert page["items"] == wanted[: query["limit"]]
    more = len(page["items"]) == query["limit"]
    assert page["next"] == (page["items"][-1]["account_sequence"] if more else None)


def matches(line, query):
    at = datetime.fromisoformat(line["decided_at"])
    sign = {"all": 0, "credits": 1, "debits": -1}[query["flow"]]
    return (
        (query["after"] is None or line["account_sequence"] > query["after"])
        and (query["before"] is None or line["account_sequence"] < query["before"])
        and (query["since"] is None or at >= query["since"])
        and (query["until"] is None or at < query["until"])
        and line["amount"] * sign >= 0
    )


async def test_a_lot_tells_what_moved_it(book):
    database, reader = await book()
    heard, decided = told(9, 200)
    await post(database, SHARD, heard, random.Random(9))
    reader.clock.at = decided[-1]
    moved = 0
    for lot in await reader.all(f"/v1/accounts/{ACCOUNTS[0]}/lots", which="all"):
        path = f"/v1/accounts/{ACCOUNTS[0]}/lots/{lot['lot']}"
        one = (await reader(path, limit=200))["lot"]
        rows = await reader.all(path)
        rest = 0 if lot["parent"] else lot["amount"]
        rest += sum(r["amount"] if r["what"] == "restored" else -r["amount"] for r in rows)
        assert rest == lot["remaining"] == one["remaining"]
        places = [(row["sequence"], row["ordinal"]) for row in rows]
        assert places == sorted(set(places))
        moved += len(rows)
    assert moved > 5


async def test_revenue_follows_the_book_from_period_to_period(book):
    database, reader = await book()
    heard, decided = told(9, 150)
    born = [replace(e, occurred_at=generators.START) for e in heard]
    await post(database, SHARD, born, random.Random(10))
    reader.clock.at = decided[-1] + timedelta(days=1)
    ends = [decided[40], decided[90], reader.clock.at]
    found = await reader(
        "/v1/revenue", issuer=5, month="۱۴۰۵-۰۱", at=[end.isoformat() for end in ends],
        allocated_rial=[90_000, 100_000, 110_000], redeemed_share_bp=9_000,
    )  # fmt: skip
    assert [p["as_of"] for p in found["periods"]] == [
        end.isoformat().replace("+00:00", "Z") for end in ends
    ]
    for end, period in zip(ends, found["periods"], strict=True):
        listed = await reader.all("/v1/vintages", at=end.isoformat(), issuer=5, unit="NP")
        (mine,) = [v for v in listed if v["month"] == "1405-01"]
        assert mine["amount"] == period["points"]
        redeemed = int(mine["amount"]["redeemed"]) - int(mine["amount"]["restored"])
        assert period["redeemed_points"] == redeemed
        assert period["opening"] + period["added"] - period["revenue"] == period["closing"]
    assert sum(p["revenue"] for p in found["periods"]) == found["periods"][-1]["to_date"] > 0


async def test_what_is_held_is_told_by_the_clock_whatever_was_swept(door, till):
    soon = till.one_shard.at + timedelta(hours=3)
    path = f"/v1/accounts/{till.account}/balance"

    async def told(at=None):
        query = "" if at is None else "?at=" + at.isoformat().replace("+", "%2B")
        found = (await door(path + query)).json()
        return found["points"], found["available_points"], found["held_points"]

    def hold(name, points, **spans):
        return HoldValue(
            name=f"a.{till.account}.{name}", account=till.account, member=1, acceptor=GROCER,
            merchant=GROCER, due_at=till.one_shard.at + timedelta(**spans), points=points,
        )  # fmt: skip

    await till.post(till.buy(award(100, expires_at=soon)))
    await till.post(hold("first", 30, days=1), hold("second", 20, hours=2))
    placed = door.clock.at = till.one_shard.at
    assert await told() == (100, 50, 50)
    due = placed.replace(second=0) + timedelta(hours=2)
    door.clock.at = due
    assert await told() == (100, 70, 30)  # the second is due, booked or not
    door.clock.at = soon
    assert await told() == (30, 0, 30)  # the lot is past its date, its held part is not
    till.one_shard.at = soon
    worth = RedemptionTerms(points=25, worth_rial=2_500)
    await till.post(
        CaptureHold(
            name=f"a.{till.account}.capture", original=f"a.{till.account}.first", spend=worth
        )
    )
    door.clock.at = till.one_shard.at
    assert await told() == (0, 0, 0)
    for at, expected in ((placed, (100, 50, 50)), (due, (100, 70, 30)), (soon, (30, 0, 30))):
        assert await told(at) == expected
    lots = (await door(f"/v1/accounts/{till.account}/lots?sequence=3")).json()["items"]
    assert [(lot["remaining"], lot["held"]) for lot in lots] == [(100, 50)]
