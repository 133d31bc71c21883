"""A message's life: the outcome that calls for it, its recipient, its states."""

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
from notify.templates.domain import segments, texts
from notify.templates.domain.facts import Facts, IdentifierLabel, facts_of
from notify.templates.domain.texts import Locale, Template


class State(StrEnum):
    """The state of a message. It only moves forward; a state of FINAL does not change."""

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

_PROVIDER_STATES: Final = {  # by Kavenegar's status numbers
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
    """A message that an outcome or a notice calls for.

    cause: public id of the outcome, or the notice and its member. member 0: the outcome names none.
    needs_consent: it goes only to members who agreed to receipts. merchant: the shop that the text
    names, 0: none.
    """

    template: Template
    cause: str
    member: int
    account: int
    facts: Facts
    decided_at: datetime
    expires_at: datetime
    needs_consent: bool
    merchant: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedMessage:
    """A draft as its row is written. locale and text are empty while it waits for a contact."""

    draft: Draft
    member: int
    state: State
    locale: str = ""
    text: str = ""

    @property
    def segments(self) -> int:
        """The segments that will be paid for; 0 while there is no text."""
        return segments.measure(self.text).segments if self.text else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange:
    """A message's next state as reported. provider_id, cost_rial 0: the row keeps its own."""

    message_id: int
    provider_id: int = 0
    cost_rial: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class UndeliveredMessage:
    """A message whose delivery is not known yet. accepted_at: wall time."""

    message_id: int
    provider_id: int
    accepted_at: datetime


def state_of_status(status: int) -> State | None:
    """Our state for the provider's status number; None for a number that is not documented."""
    return _PROVIDER_STATES.get(status)


def predecessors(state: State) -> list[State]:
    """The states from which a report may bring a message to this one."""
    if state in FINAL:
        return list(UNDER_WAY)
    return list(UNDER_WAY[: UNDER_WAY.index(state)]) if state in UNDER_WAY else []


def latest_states(reports: Sequence[tuple[int, int]]) -> dict[int, State]:
    """The state that delivery reports bring each message to, by the provider's id.

    reports: (provider's id, status) in their order. A report never brings a message back. UNKNOWN
    is left out: it is an answer to a query, not a report.
    """
    latest: dict[int, State] = {}
    for provider_id, status in reports:
        state = state_of_status(status)
        if state is None or state is State.UNKNOWN:
            continue
        before = latest.get(provider_id)
        if before is None or before in predecessors(state):
            latest[provider_id] = state
    return latest


def template_of(outcome: Outcome) -> Template | None:
    """The template that an outcome calls for; None where no message is sent.

    None for silent outcomes (history, replay), for refusals, and for commands without a template.
    Source: SH5, NH16, architecture 2.
    """
    done = outcome.status in (Status.COMPLETED, Status.UNDER_REVIEW)
    if outcome.silent or outcome.channel is Channel.HISTORY or not done or outcome.account == 0:
        return None
    return _template(outcome)


def is_due(outcome: Outcome, contacts: Mapping[int, Contact]) -> bool:
    """Whether an outcome becomes a row: most sales are receipts for which consent is missing.

    Called before its facts are computed, which cost the most. A redemption is always due, whatever
    the member consented to (findings S6).
    """
    contact = recipient(outcome.member, outcome.account, contacts)
    return contact is None or contact.receipts or template_of(outcome) not in RECEIPTS


def draft_of(shard: int, outcome: Outcome) -> Draft | None:
    """The message that an outcome calls for, or None."""
    template = template_of(outcome)
    if template is None:
        return None
    receipt = template in RECEIPTS
    life: timedelta = settings.RECEIPT_LIFE if receipt else settings.NEWS_LIFE
    return Draft(
        template=template,
        cause=values.public_id(shard, outcome.name),
        member=outcome.member,
        account=outcome.account,
        facts=facts_of(outcome),
        decided_at=outcome.decided_at,
        expires_at=outcome.decided_at + life,
        needs_consent=receipt,
        merchant=outcome.merchant,
    )


def draft_of_notice(notice: HoldingChanged, titles: tuple[str, str]) -> Draft:
    """The message of a change to a member's identifiers.

    titles: Persian and English, of the shop whose key made the change; "" where there is none.
    """
    labels = tuple(IdentifierLabel(one.kind, one.last4) for one in notice.identifiers)
    return Draft(
        template=_NOTICES[notice.change],
        cause=f"{notice.notice}@{notice.member}",
        member=notice.member,
        account=notice.account,
        facts=Facts(shop_fa=titles[0], shop_en=titles[1], identifiers=labels, changed_at=notice.at),
        decided_at=notice.at,
        expires_at=notice.at + settings.NEWS_LIFE,
        needs_consent=False,
    )


def with_titles(draft: Draft, titles: Mapping[int, tuple[str, str]]) -> Draft:
    """The draft with its shop's titles, Persian and English; "" where they are not known yet."""
    fa, en = titles.get(draft.merchant, ("", ""))
    return replace(draft, facts=replace(draft.facts, shop_fa=fa, shop_en=en))


def recipient(member: int, account: int, contacts: Mapping[int, Contact]) -> Contact | None:
    """The member's contact; where no member is named (0), that of the account's first member.

    contacts: by member, at least those of the member and the account.
    """
    if member:
        return contacts.get(member)
    shared = [c for c in contacts.values() if c.account == account]
    return min(shared, key=lambda contact: contact.member, default=None)


def queued_messages(
    drafts: Sequence[Draft], contacts: Mapping[int, Contact], *, support: str = ""
) -> list[QueuedMessage]:
    """The rows that drafts become. support: the telephone number that texts name."""
    rows: list[QueuedMessage] = []
    for draft in drafts:
        contact = recipient(draft.member, draft.account, contacts)
        if contact is None:
            rows.append(QueuedMessage(draft=draft, member=draft.member, state=State.WAITING))
        else:
            rows.append(addressed(draft, contact, support=support))
    return rows


def addressed(draft: Draft, contact: Contact, *, support: str = "") -> QueuedMessage:
    """A draft in the language of its contact: queued, or suppressed without consent."""
    locale: Locale = texts.locale_of(contact.locale)
    if draft.needs_consent and not contact.receipts:
        return QueuedMessage(
            draft=draft, member=contact.member, state=State.SUPPRESSED, locale=locale
        )
    return QueuedMessage(
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
# they need consent; a redemption does not: it may be a thief's, and the member must learn of it
RECEIPTS: Final = frozenset({Template.RECEIPT_PURCHASE, Template.RECEIPT_REFUND})


def _template(outcome: Outcome) -> Template | None:
    match outcome.command, outcome.kind:
        case "issue-value.v1", _ if outcome.purpose == "first-purchase":
            return Template.FIRST_PURCHASE
        case "revoke-issue.v1", _ if outcome.purpose == "first-purchase-return":
            return Template.CREDIT_RETURNED if outcome.moves else None
        case "release-pending.v1", _:
            return Template.POINTS_RELEASED
        case "cancel-pending.v1", _:
            return Template.POINTS_CANCELLED if outcome.moves else None
        case "spend-value.v1" | "capture-hold.v1", _:
            return Template.VALUE_SPENT
        case "top-up-wallet.v1", _:
            return Template.WALLET_TOPPED_UP
        case "post-transaction.v1", _:
            return _template_of_sale(outcome)
        case _:
            return None


def _template_of_sale(outcome: Outcome) -> Template | None:
    match outcome.kind:
        case Kind.PURCHASE:
            return Template.RECEIPT_PURCHASE
        case Kind.REDEMPTION | Kind.CAPTURE:
            return Template.VALUE_SPENT
        case Kind.TOP_UP:
            return Template.WALLET_TOPPED_UP
        case Kind.REVERSAL if outcome.is_of_wallet:
            return Template.WALLET_GIVEN_BACK
        case Kind.REFUND | Kind.REVERSAL:
            return Template.RECEIPT_REFUND if outcome.moves else None  # else nothing was undone
        case _:
            return None
