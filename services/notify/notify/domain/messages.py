"""A message's life: what calls for it, who gets it, and the states it may pass through."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from contracts import values
from contracts.ledger import LotIssued, Outcome
from contracts.members import Contact
from contracts.values import Channel, Kind, Status, Unit
from notify import settings
from notify.domain import sms, texts
from notify.domain.texts import Facts, Locale, Template


class State(StrEnum):
    """Where a message stands. It only moves on; from FINAL it does not move at all."""

    WAITING = "waiting"  # for the member's contact
    QUEUED = "queued"
    SENDING = "sending"  # handed over, or about to be: the provider knows which
    ACCEPTED = "accepted"
    SENT = "sent"  # at the operator
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    SUPPRESSED = "suppressed"  # the recipient, or the member's own choice, forbids it
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"  # the provider no longer knows
    EXPIRED = "expired"  # too old to be of use
    NO_CONTACT = "no-contact"


UNDER_WAY: Final = (State.SENDING, State.ACCEPTED, State.SENT)
FINAL: Final = frozenset(State) - {State.WAITING, State.QUEUED, *UNDER_WAY}

# what the provider says, and what it means here (Kavenegar's numbers)
_HEARD: Final = {
    1: State.ACCEPTED,
    2: State.ACCEPTED,
    4: State.SENT,
    5: State.SENT,
    6: State.FAILED,
    10: State.DELIVERED,
    11: State.UNDELIVERED,
    13: State.CANCELLED,
    14: State.SUPPRESSED,
    100: State.UNKNOWN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message that an outcome calls for. cause: the outcome's public id. member 0: not named.

    consented: it goes only to members who asked for receipts.
    """

    template: Template
    cause: str
    member: int
    account: int
    facts: Facts
    decided_at: datetime
    expires_at: datetime
    consented: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A draft as its row begins. locale and text are empty while the contact is waited for."""

    draft: Draft
    member: int
    state: State
    locale: str = ""
    text: str = ""

    @property
    def parts(self) -> int:
        """What will be paid for; 0 while there is no text."""
        return sms.measure(self.text).parts if self.text else 0


def from_provider(status: int) -> State | None:
    """Our state for the provider's number; None for one that nobody has told us of."""
    return _HEARD.get(status)


def befores(state: State) -> list[State]:
    """The states from which a receipt may bring a message to this one."""
    order = (State.SENDING, State.ACCEPTED, State.SENT)
    if state in FINAL:
        return list(order)
    return list(order[: order.index(state)]) if state in order else []


def draft_of(shard: int, outcome: Outcome) -> Draft | None:
    """What an outcome calls for, or None.

    Quiet outcomes (history, replay) and refusals are never told. Source: SH5, NH16, architecture 2.
    """
    told = outcome.status in (Status.COMPLETED, Status.HELD)
    if outcome.quiet or outcome.channel is Channel.HISTORY or not told or outcome.account == 0:
        return None
    template = _template(outcome)
    if template is None:
        return None
    receipt = template in _RECEIPTS
    life: timedelta = settings.RECEIPT_LIFE if receipt else settings.NEWS_LIFE
    return Draft(
        template=template,
        cause=values.public_id(shard, outcome.name),
        member=outcome.member,
        account=outcome.account,
        facts=_facts(template, outcome),
        decided_at=outcome.decided_at,
        expires_at=outcome.decided_at + life,
        consented=receipt,
    )


def recipient(draft: Draft, contacts: Mapping[int, Contact]) -> Contact | None:
    """Whose phone it goes to: the member's, or, where none is named, the account's first one's.

    contacts: by member, at least those of the draft's member and account.
    """
    if draft.member:
        return contacts.get(draft.member)
    shared = [c for c in contacts.values() if c.account == draft.account]
    return min(shared, key=lambda contact: contact.member, default=None)


def write(drafts: Sequence[Draft], contacts: Mapping[int, Contact]) -> list[Written]:
    """The rows that drafts become; a receipt nobody asked for becomes none."""
    rows: list[Written] = []
    for draft in drafts:
        contact = recipient(draft, contacts)
        if contact is None:
            rows.append(Written(draft=draft, member=draft.member, state=State.WAITING))
        elif contact.receipts or not draft.consented:
            rows.append(addressed(draft, contact))
    return rows


def addressed(draft: Draft, contact: Contact) -> Written:
    """A draft whose contact is known, in its language: queued, or suppressed without consent."""
    locale: Locale = texts.locale_of(contact.locale)
    if draft.consented and not contact.receipts:
        return Written(draft=draft, member=contact.member, state=State.SUPPRESSED, locale=locale)
    return Written(
        draft=draft,
        member=contact.member,
        state=State.QUEUED,
        locale=locale,
        text=texts.render(draft.template, locale, draft.facts),
    )


_RECEIPTS: Final = frozenset(
    {Template.RECEIPT_PURCHASE, Template.RECEIPT_REDEMPTION, Template.RECEIPT_REFUND}
)
CONSENTED: Final = _RECEIPTS


def _template(outcome: Outcome) -> Template | None:
    match outcome.command, outcome.kind:
        case "issue-value.v1", _ if outcome.purpose == "first-purchase":
            return Template.FIRST_PURCHASE
        case "release-pending.v1", _:
            return Template.POINTS_RELEASED
        case "cancel-pending.v1", _:
            return Template.POINTS_CANCELLED
        case "post-transaction.v1", Kind.PURCHASE:
            return Template.RECEIPT_PURCHASE
        case "post-transaction.v1", Kind.REDEMPTION:
            return Template.RECEIPT_REDEMPTION
        case "post-transaction.v1", Kind.REFUND | Kind.REVERSAL:
            return Template.RECEIPT_REFUND
        case _:
            return None


def _facts(template: Template, outcome: Outcome) -> Facts:
    lots = [lot for lot in outcome.lots if lot.unit is Unit.NETWORK_POINTS and lot.parent == 0]
    match template:
        case Template.FIRST_PURCHASE:
            points = 0
            credit = _sum(lot for lot in outcome.lots if lot.unit is Unit.CREDIT)
        case Template.RECEIPT_PURCHASE:
            points, credit = _sum(lots), 0
        case Template.RECEIPT_REDEMPTION:
            points = _moved(outcome, Unit.NETWORK_POINTS, "redeemed")
            credit = _moved(outcome, Unit.CREDIT, "redeemed")
        case _:
            points, credit = _moved(outcome, Unit.NETWORK_POINTS, "clawed-back", "cancelled"), 0
    return Facts(
        amount_rial=outcome.amount_rial,
        points=points,
        pending=outcome.status is Status.HELD,
        restored_points=_moved(outcome, Unit.NETWORK_POINTS, "restored"),
        credit_rial=credit,
        balance_points=outcome.balance_points,
        balance_credit_rial=outcome.balance_credit_rial,
    )


def _sum(lots: Iterable[LotIssued]) -> int:
    return sum(lot.amount for lot in lots)


def _moved(outcome: Outcome, unit: Unit, *what: str) -> int:
    return sum(m.amount for m in outcome.moves if m.unit is unit and m.what in what)
