"""A message's life: what calls for it, who gets it, and the states it may pass through."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from contracts import values
from contracts.ledger import Outcome
from contracts.members import Contact, HoldingChange, HoldingChanged
from contracts.values import Channel, Kind, Status
from notify import settings
from notify.domain import sms, texts
from notify.domain.facts import Facts, Held, facts_of
from notify.domain.texts import Locale, Template


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

    consented: it goes only to members who asked for receipts. merchant: the shop it names, 0: none.
    """

    template: Template
    cause: str
    member: int
    account: int
    facts: Facts
    decided_at: datetime
    expires_at: datetime
    consented: bool
    merchant: int = 0


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


def template_of(outcome: Outcome) -> Template | None:
    """What an outcome calls for, or None: quiet ones (history, replay) and refusals are not told.

    Source: SH5, NH16, architecture 2.
    """
    told = outcome.status in (Status.COMPLETED, Status.HELD)
    if outcome.quiet or outcome.channel is Channel.HISTORY or not told or outcome.account == 0:
        return None
    return _template(outcome)


def is_wanted(outcome: Outcome, contacts: Mapping[int, Contact]) -> bool:
    """Whether an outcome becomes a row: most sales are receipts that nobody asked for.

    Asked before its facts are made, which cost the most. What was spent is told whatever the member
    consented to (findings S6).
    """
    contact = recipient(outcome.member, outcome.account, contacts)
    return contact is None or contact.receipts or template_of(outcome) not in _RECEIPTS


def draft_of(shard: int, outcome: Outcome) -> Draft | None:
    """The message that an outcome calls for, or None."""
    template = template_of(outcome)
    if template is None:
        return None
    receipt = template in _RECEIPTS
    life: timedelta = settings.RECEIPT_LIFE if receipt else settings.NEWS_LIFE
    return Draft(
        template=template,
        cause=values.public_id(shard, outcome.name),
        member=outcome.member,
        account=outcome.account,
        facts=facts_of(outcome),
        decided_at=outcome.decided_at,
        expires_at=outcome.decided_at + life,
        consented=receipt,
        merchant=outcome.merchant,
    )


def draft_of_notice(told: HoldingChanged, shop: tuple[str, str]) -> Draft:
    """The message of a change to what a member holds. shop: titles of whose key did it, or ""."""
    held = tuple(Held(one.kind, one.last4) for one in told.identifiers)
    return Draft(
        template=_NOTICES[told.change],
        cause=f"{told.notice}@{told.member}",
        member=told.member,
        account=told.account,
        facts=Facts(shop_fa=shop[0], shop_en=shop[1], held=held, happened_at=told.at),
        decided_at=told.at,
        expires_at=told.at + settings.NEWS_LIFE,
        consented=False,
    )


def naming(draft: Draft, titles: Mapping[int, tuple[str, str]]) -> Draft:
    """With the shop's titles, Persian and English; without, where they are not known yet."""
    fa, en = titles.get(draft.merchant, ("", ""))
    return replace(draft, facts=replace(draft.facts, shop_fa=fa, shop_en=en))


def recipient(member: int, account: int, contacts: Mapping[int, Contact]) -> Contact | None:
    """Whose phone it goes to: the member's, or, where none is named (0), the account's first one's.

    contacts: by member, at least those of the member and the account.
    """
    if member:
        return contacts.get(member)
    shared = [c for c in contacts.values() if c.account == account]
    return min(shared, key=lambda contact: contact.member, default=None)


def write(
    drafts: Sequence[Draft], contacts: Mapping[int, Contact], *, support: str = ""
) -> list[Written]:
    """The rows that drafts of wanted outcomes become. support: the number that texts name."""
    rows: list[Written] = []
    for draft in drafts:
        contact = recipient(draft.member, draft.account, contacts)
        if contact is None:
            rows.append(Written(draft=draft, member=draft.member, state=State.WAITING))
        else:
            rows.append(addressed(draft, contact, support=support))
    return rows


def addressed(draft: Draft, contact: Contact, *, support: str = "") -> Written:
    """A draft whose contact is known, in its language: queued, or suppressed without consent."""
    locale: Locale = texts.locale_of(contact.locale)
    if draft.consented and not contact.receipts:
        return Written(draft=draft, member=contact.member, state=State.SUPPRESSED, locale=locale)
    return Written(
        draft=draft,
        member=contact.member,
        state=State.QUEUED,
        locale=locale,
        text=texts.render(draft.template, locale, draft.facts, support=support),
    )


_NOTICES: Final = {
    HoldingChange.ADDED: Template.IDENTIFIER_ADDED,
    HoldingChange.SHOWN: Template.IDENTIFIER_SHOWN,
    HoldingChange.MOVED: Template.IDENTIFIER_MOVED,
}
_RECEIPTS: Final = frozenset({Template.RECEIPT_PURCHASE, Template.RECEIPT_REFUND})
CONSENTED: Final = _RECEIPTS  # what was spent is told to everybody: a thief's spend looks like mine


def _template(outcome: Outcome) -> Template | None:
    match outcome.command, outcome.kind:
        case "issue-value.v1", _ if outcome.purpose == "first-purchase":
            return Template.FIRST_PURCHASE
        case "take-back-value.v1", _ if outcome.purpose == "first-purchase-return":
            return Template.CREDIT_RETURNED if outcome.moves else None
        case "release-pending.v1", _:
            return Template.POINTS_RELEASED
        case "cancel-pending.v1", _:
            return Template.POINTS_CANCELLED if outcome.moves else None
        case "post-transaction.v1", Kind.PURCHASE:
            return Template.RECEIPT_PURCHASE
        case "post-transaction.v1", Kind.REDEMPTION:
            return Template.VALUE_SPENT
        case "spend-value.v1" | "capture-hold.v1", _:
            return Template.VALUE_SPENT
        case "post-transaction.v1", Kind.REFUND | Kind.REVERSAL:
            return Template.RECEIPT_REFUND if outcome.moves else None  # else nothing was undone
        case _:
            return None
