"""The identifier that a request presents: resolved to an account, and counted until a sale."""

import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from msgspec import UNSET, UnsetType

from contracts import members
from contracts.ledger import Reply
from contracts.values import SPENDS, Kind
from gateway import problems
from gateway.problems import Code
from gateway.road.domain import requests, shapes, transactions
from gateway.road.domain.transactions import ResolvedIdentifier
from gateway.road.usecases.sending import Road
from kit.base import telemetry
from kit.base.telemetry import Metric

log = logging.getLogger(__name__)
HISTORY: Final = 0  # in a terminal's place: the limit of look-ups that imports share
_SALES: Final = SPENDS | {Kind.PURCHASE, Kind.TOP_UP}
_SALE_STATUSES: Final = (b'"status":"completed"', b'"status":"held"')  # in an answer's body


async def resolve_identifier(
    road: Road,
    identifier: shapes.Identifier | UnsetType,
    terminal: int,
    at: datetime,
    *,
    party: int = 0,
) -> tuple[str | None, ResolvedIdentifier | None]:
    """Digest of the identifier, and the account it was bound to at a time; None without one.

    terminal: whose limits it counts towards, HISTORY for an operator's import. party: of an
    external reference, the party that issued it; another party's reference is not found. Raises
    TOO_MANY_IDENTIFIERS (before anything is looked up), UNKNOWN_IDENTIFIER and others.
    """
    if identifier is UNSET:
        return None, None
    kind, text = requests.canonical_identifier(identifier)
    digests = members.digests(road.identifier_keys, kind, text, party=party)
    digest = road.lookups.stored_digest(digests)
    if terminal != HISTORY and not road.unsold_identifiers.admit(
        terminal, digest, time.monotonic()
    ):
        telemetry.count(Metric.LIMITED, "identifiers")
        telemetry.count(Metric.ALARMS, "identifiers-without-sales")
        log.warning(
            "a terminal presents identifiers and sells nothing", extra={"terminal": terminal}
        )
        raise problems.refusal(Code.TOO_MANY_IDENTIFIERS)
    for candidate in dict.fromkeys((digest, *digests)):  # of one key, as mostly, a single round
        record = await road.lookups.identifier(candidate, terminal)
        if record is not None and record.bindings:
            return candidate, transactions.as_of(record, at)
    raise problems.refusal(Code.UNKNOWN_IDENTIFIER)


def sale_counter(
    road: Road, kind: Kind, terminal: int, digest: str | None
) -> Callable[[Reply | None], None]:
    """A callback that updates the count of unsold identifiers from the reply to a request.

    It gets None for a 202, when the outcome is open. A purchase then counts as sold until its
    reply says otherwise: it reveals no balance, and an online shop has hundreds under way while
    the road is behind. A redemption does not count as sold, as a declined one reveals something
    of the balance (findings A19).
    """

    def count_sale(reply: Reply | None) -> None:
        if digest is None or kind not in _SALES:
            return
        sold = kind is Kind.PURCHASE if reply is None else _is_sale(reply)
        if sold:
            road.unsold_identifiers.sold(terminal, digest)
        else:
            road.unsold_identifiers.unsold(terminal, digest, time.monotonic())

    return count_sale


def _is_sale(reply: Reply) -> bool:
    """Whether a reply is a sale; a name used before with another payload (422) is none."""
    if reply.http_status != 200:
        return False
    return any(status in bytes(reply.body) for status in _SALE_STATUSES)
