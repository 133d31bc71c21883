"""The bench of floods: what is sent is HTTP, bounded, each request its own."""

import json
from pathlib import Path

from cluster import plan
from lab.bench.road import floods
from lab.bench.road.flooder import CONNECTIONS_MAX, MEMBERS, Flood, request_of
from lab.bench.road.load import Till
from lab.bench.road.shoppers import mobile_of

TILL = Till(terminal=10_000_001, epoch=1, key="pvt_10000001_k_s")


def test_requests_of_a_flood_have_numbers_and_members_of_their_own() -> None:
    flood = Flood(1, 1, 1.0, "POST /v1/transactions HTTP/1.1", floods.body_of(TILL, "purchase"))
    for number in (1, 2, MEMBERS + 1):
        head, _, body = request_of(flood, number).partition(b"\r\n\r\n")
        sent = json.loads(body)
        assert sent["sequence"] == number
        assert sent["identifier"] == {"mobile": mobile_of(number % MEMBERS)}
        assert b"content-length: %d" % len(body) in head
        assert head.startswith(b"POST /v1/transactions HTTP/1.1\r\nhost: ")


def test_every_row_of_the_table_is_there_and_bounded(tmp_path: Path) -> None:
    rows = floods.rows_of(plan.lay_out(tmp_path, sandbox=None), TILL)
    assert len(rows) == len({row.name for row in rows}) == 13
    assert all(0 < row.connections <= CONNECTIONS_MAX for row in rows)
    for row in rows:
        sent = request_of(Flood(1, 1, 1.0, row.head, row.body), 7)
        assert row.head is None or sent.count(b"@") == 0


def test_what_a_till_felt_is_told_by_its_quantiles() -> None:
    felt = floods.Felt([float(n) for n in range(1, 101)], 2)
    assert felt.figures() == {
        "p50_ms": 50.0, "p99_ms": 99.0, "max_ms": 100.0, "count": 100, "others": 2,
    }  # fmt: skip
