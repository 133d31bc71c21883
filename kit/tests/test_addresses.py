"""What counts as one caller: of IPv6 a whole /64, however an address is written."""

from typing import Any

import pytest

from kit.server.connections import (
    Connections,
    Limits,
    fitting,
    network_of,
    raise_descriptors,
)


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),  # a socket of both families tells IPv4 so
        ("::ffff:cb00:7107", "203.0.113.7"),
        ("2001:db8:0:5::1", "2001:db8:0:5::/64"),
        ("2001:DB8:0:5:ffff:ffff:ffff:ffff", "2001:db8:0:5::/64"),
        ("2001:db8:0:6::1", "2001:db8:0:6::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_an_address_counts_with_its_network(host: str, counted: str) -> None:
    assert network_of(host) == counted


class Caller:
    """A connection that waits."""

    def __init__(self, host: str) -> None:
        self.address = network_of(host)
        self.proven = False
        self.beside: Any = {}
        self.ended = False

    def look(self, now_s: float) -> None:
        """Nothing to do."""

    def end(self) -> None:
        self.ended = True


async def test_a_slash_64_has_no_more_connections_than_one_address() -> None:
    held = Connections(Limits(per_address=2, in_all=100))
    crowd = [Caller(f"2001:db8::{n:x}") for n in range(1, 5)]
    other = Caller("2001:db8:0:1::1")
    for one in (*crowd, other):
        assert held.enter(one)
    assert [one.ended for one in crowd] == [True, True, False, False]
    assert not other.ended
    for one in (*crowd, other):
        held.leave(one)


def test_a_process_keeps_descriptors_for_itself() -> None:
    limits = fitting(Limits(), 1_024)
    assert limits.in_all == limits.per_address == 512
    assert fitting(Limits(), 65_536) == Limits()
    assert raise_descriptors() > 0
