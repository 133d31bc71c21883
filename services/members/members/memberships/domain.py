"""Rules of enrolment: what a request must hold, and who of a batch is new, known or refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import msgspec

from contracts import members as contract
from contracts.keys import Key, MissingKey, Ring, find, stamp
from contracts.members import Identifier, IdentifierKind, SealedContact, ShownIdentifier
from contracts.values import AccountNumber, Number
from kit.base import bodies, errors
from members import crypto
from members.additions import domain as additions
from members.additions.domain import Claim, Enroller
from members.identifiers import domain as identifiers
from members.identifiers.domain import Mark
from members.people.domain import AccountBinding, Consents
from members.text import clean_name

# ----------------------------------------------------------------------------------------- values


class Consented(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person's consents. wording: version of the text that the person read."""

    terms: bool = False
    receipts: bool = False
    marketing: bool = False
    wording: str = ""


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request to enrol one person; also one line of an import.

    account: of a household that the new member joins. external: reference of the person among the
    customers of party; who has one may have no mobile (imported history). card: number of a card
    that the person already holds.
    """

    mobile: str = ""
    name: str = ""
    consents: Consented = Consented()
    account: AccountNumber | None = None
    external: str | None = None
    party: Number | None = None
    card: str | None = None
    locale: Literal["fa", "en"] = "fa"


@dataclass(frozen=True, slots=True)
class Draft:
    """A request that reads: marks[0] tells who it is (the mobile, else the partner's reference).

    The rest are further identifiers. contact.mobile: "" where there is none.
    """

    contact: SealedContact
    marks: tuple[Mark, ...]
    consents: Consents
    account: int | None
    locale: str
    party: int = 0  # whose reference it has, where it has one


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason why a request enrols nobody. error: the answer to a single request."""

    code: str
    detail: str
    fa: str
    error: type[errors.Problem] = errors.Invalid


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A membership. known: whoever enrols had it before; a partner is told it of his own alone."""

    binding: AccountBinding
    known: bool


Result = Enrolled | Refusal

NOT_JSON: Final = ("malformed", "خط خوانا نیست؛ هر خط یک شیء JSON است.")
BAD_FIELDS: Final = (
    "bad-fields",
    "فیلدهای خط درست نیست؛ نام و نوع هر فیلد را با مستندات بسنجید.",
)
BAD_MOBILE: Final = ("bad-mobile", "شمارهٔ همراه نادرست است.")
BAD_TEXT: Final = ("bad-text", "متن نویسه‌ای نادرست دارد یا بیش از اندازه بلند است.")
BAD_EXTERNAL: Final = ("bad-external", "شناسهٔ همکار باید ۱ تا ۶۴ نویسه باشد.")
NO_PARTY: Final = (
    "external-without-party",
    "شناسهٔ همکار تنها نزد خود او معنا دارد؛ شمارهٔ طرف را در party بفرستید.",
)
BAD_CARD: Final = ("bad-card", "شمارهٔ کارت نادرست است.")
NO_TERMS: Final = ("terms-not-accepted", "عضو باید شرایط پیوند را پذیرفته باشد.")
NO_ACCOUNT: Final = ("unknown-account", "حسابی با این شماره نیست.")
HAS_MOBILE: Final = ("mobile-already-known", "این عضو شمارهٔ همراه دارد؛ شماره دوباره ثبت نمی‌شود.")
NO_MEMBER: Final = ("unknown-member", "عضوی با این شناسه نیست.")
TAKEN: Final = ("identifier-taken", "این شناسه از آنِ عضو دیگری است.")


def refusal(reason: tuple[str, str], detail: str) -> Refusal:
    """A refusal by its code, with its Persian text."""
    return Refusal(reason[0], detail, reason[1])


def refusal_of(error: errors.Problem) -> Refusal:
    """An error of one request of many."""
    return Refusal(error.code, error.detail, error.fa, type(error))


def refused(why: Refusal) -> errors.Problem:
    """A refusal as the error of a single request."""
    return why.error(why.detail, code=why.code, fa=why.fa)


# ---------------------------------------------------------------------------------------- reading


def read_lines(lines: Sequence[bytes], *, keys: Ring, wording: str) -> list[Draft | Refusal]:
    """Lines of an import, each by itself; CPU only. See read_line."""
    return [read_line(line, keys=keys, wording=wording) for line in lines]


def read_line(line: bytes, *, keys: Ring, wording: str) -> Draft | Refusal:
    """One line of an import. keys: of identifiers. wording: where the line names none."""
    try:
        body = bodies.read(line)
    except errors.Malformed as error:
        if error.code == "malformed-json":
            return refusal(NOT_JSON, error.detail)
        return Refusal(error.code, error.detail, error.fa)
    if not isinstance(body, dict):
        return refusal(NOT_JSON, "a line is one JSON object")
    try:
        request = msgspec.convert(body, Request)
    except msgspec.ValidationError as error:
        return refusal(BAD_FIELDS, str(error))
    return read(request, keys=keys, wording=wording)


def read(request: Request, *, keys: Ring, wording: str) -> Draft | Refusal:
    """A request with its text cleaned and its identifiers in canonical form."""
    if not request.consents.terms:
        return refusal(NO_TERMS, "consents.terms must be true; ask the person first")
    try:
        name = clean_name(request.name)
        read_wording = clean_name(request.consents.wording) or wording
    except ValueError as error:
        return refusal(BAD_TEXT, f"name or wording: {error}")
    marks = _marks(request, keys)
    if isinstance(marks, Refusal):
        return marks
    answers = request.consents
    return Draft(
        contact=SealedContact(mobile=marks[0].text if request.mobile else "", name=name),
        marks=marks,
        consents=Consents(True, answers.receipts, answers.marketing, read_wording),
        account=request.account,
        locale=request.locale,
        party=request.party or 0,
    )


def _marks(request: Request, keys: Ring) -> tuple[Mark, ...] | Refusal:
    if request.external and request.party is None:
        return refusal(NO_PARTY, "external counts within its party: send the party's number too")
    if request.party is not None and not request.external:
        return refusal(BAD_EXTERNAL, "external: a party is named and no reference of it")
    marks: list[Mark] = []
    for kind, text, reason in (
        (IdentifierKind.MOBILE, request.mobile, BAD_MOBILE),
        (IdentifierKind.EXTERNAL, request.external, BAD_EXTERNAL),
        (IdentifierKind.CARD, request.card, BAD_CARD),
    ):
        if not text and (kind is not IdentifierKind.MOBILE or request.external):
            continue
        try:
            marks.append(identifiers.mark(keys, kind, text or "", party=request.party or 0))
        except ValueError as error:
            return refusal(reason, f"{kind.value}: {error}")
    return tuple(marks)


def read_mobile(text: str, *, keys: Ring) -> Mark | Refusal:
    """A mobile in any spelling as an identifier."""
    try:
        return identifiers.mark(keys, IdentifierKind.MOBILE, text)
    except ValueError as error:
        return refusal(BAD_MOBILE, f"mobile: {error}")


def fingerprint(request: Request, *, key: Key) -> bytes:
    """Keyed digest of a request, by which a repeat is told from another under one id."""
    return stamp(key, msgspec.json.encode(request, order="sorted"))


def is_repeat(request: Request, kept: bytes, *, keys: Ring) -> bool:
    """Whether a fingerprint that was kept is this request's. Raises KeyMissing."""
    try:
        return fingerprint(request, key=find(keys, kept)) == kept
    except MissingKey as error:
        raise crypto.KeyMissing(f"this enrolment: {error}, in PEYVAND_MEMBER_KEYS") from error


# ---------------------------------------------------------------------------------------- sorting


@dataclass(frozen=True, slots=True)
class Holder:
    """Who an identifier of a batch is for: a member who exists, or the draft at an index."""

    binding: AccountBinding | None
    index: int


@dataclass(frozen=True, slots=True)
class Sorted:
    """A batch sorted out, all lists as long as it.

    holders: who each draft is; None where refusals says why not. opens: the draft is a new member.
    marks: identifiers still to be issued for it. elsewhere: what it shows is another party's, so
    refusals says so, and the draft at its holder's index answers for all that show the same.
    """

    holders: list[Holder | None]
    refusals: list[Refusal | None]
    opens: list[bool]
    marks: list[tuple[Mark, ...]]
    elsewhere: list[bool]


@dataclass(frozen=True, slots=True)
class Bars:
    """What of a batch is refused whoever the person is, and whose account is another party's.

    refused: by index. foreign: accounts that the key does not act on. shows: a membership that is
    known is shown to whoever asks, not only told from a new one.
    """

    refused: Mapping[int, Refusal]
    foreign: frozenset[int]
    shows: bool

    def elsewhere(self, holder: Holder) -> bool:
        """Whether a member is of an account that the key does not act on."""
        return holder.binding is not None and holder.binding.account in self.foreign


def bars(drafts: Sequence[Draft], by: Enroller, parties: Mapping[int, int], *, shows: bool) -> Bars:
    """What is refused before anybody looks who the person is.

    parties: whom each account was opened under, of those that exist.
    """
    refused: dict[int, Refusal] = {}
    for index, draft in enumerate(drafts):
        if draft.party and not by.may(draft.party):
            other = additions.OfAnotherParty("party: the key is another party's")
            refused[index] = refusal_of(other)
        elif draft.account is None:
            continue
        elif draft.account not in parties:
            refused[index] = refusal(NO_ACCOUNT, "account: there is none so numbered")
        elif (other := additions.party_refusal(by, parties[draft.account])) is not None:
            refused[index] = refusal_of(other)
    foreign = frozenset(account for account, party in parties.items() if not by.may(party))
    return Bars(refused, foreign, shows)


def sort_out(
    drafts: Sequence[Draft], existing: Mapping[str, Identifier], barred: Bars, *, now: datetime
) -> Sorted:
    """Tell new members from known ones and refuse identifiers that mean somebody else.

    existing: identifiers by the newest digest. The same first mark means the same member, among
    those who exist and within the batch. The first draft of the batch that names an identifier
    has it.
    """
    held: dict[str, Holder] = {
        digest: Holder(binding_of(identifier, now), -1) for digest, identifier in existing.items()
    }
    leads: dict[str, int] = {}  # of those elsewhere: the first draft that shows the same
    done = Sorted([], [], [], [], [])
    for index, draft in enumerate(drafts):
        if index in barred.refused:
            _append(done, None, barred.refused[index])
            continue
        first, *others = draft.marks
        holder = held.get(first.digest)
        opens = holder is None
        holder = holder or Holder(None, index)
        clashes = [m for m in others if held.get(m.digest, holder) != holder]
        clash = next((m for m in clashes if not barred.elsewhere(held[m.digest])), None)
        if clash is not None:
            _append(done, None, refusal(TAKEN, f"{clash.kind.value}: belongs to another member"))
        elif clashes or (barred.elsewhere(holder) and not _only_refers(draft, barred)):
            lead = Holder(None, leads.setdefault(first.digest, index))
            _append(done, lead, _ELSEWHERE, elsewhere=True)
        else:
            fresh = tuple(m for m in draft.marks if m.digest not in held)
            held |= {m.digest: holder for m in fresh}
            _append(done, holder, None, opens=opens, marks=fresh)
    return done


def _only_refers(draft: Draft, barred: Bars) -> bool:
    """Whether a draft brings no more than a partner's own reference, which spends nothing."""
    kinds = {mark.kind for mark in draft.marks}
    return not barred.shows and draft.party > 0 and IdentifierKind.CARD not in kinds


@dataclass(frozen=True, slots=True)
class Touch:
    """A draft that adds to an existing account, or is answered with its identifiers."""

    index: int
    account: int
    identifiers: tuple[ShownIdentifier, ...]


def touches(
    drafts: Sequence[Draft], plan: Sorted, results: Sequence[Result], *, shows: bool
) -> list[Touch]:
    """The drafts of a batch that touch existing accounts.

    shows: a known membership is answered with its identifiers.
    """
    touching: list[Touch] = []
    for index, (result, holder) in enumerate(zip(results, plan.holders, strict=True)):
        if isinstance(result, Refusal) or holder is None:
            continue
        if holder.binding is None and drafts[holder.index].account is None:
            continue  # its account is opened by this very batch
        added = tuple(
            ShownIdentifier(kind=mark.kind, last4=mark.text[-4:])
            for mark in plan.marks[index]
            if mark.kind in additions.SPENDING
        )
        if added or plan.opens[index] or shows:
            touching.append(Touch(index, result.binding.account, added))
    return touching


def claims(
    drafts: Sequence[Draft], plan: Sorted, touched: Sequence[Touch], by: Enroller
) -> dict[int, Claim]:
    """What of a batch asks for room under the bounds of a day, by index, in order.

    Under a partner's key a new account asks too: past the bound, who is a stranger and who is a
    member of elsewhere would show in the answers.
    """
    claimed = {touch.index: Claim(touch.account) for touch in touched}
    for index, draft in enumerate(drafts):
        holder = plan.holders[index]
        if plan.elsewhere[index] and holder is not None and holder.index == index:
            claimed[index] = Claim(draft.account, elsewhere=True)
        elif by.party is not None and plan.opens[index] and draft.account is None:
            claimed[index] = Claim(None)
    return dict(sorted(claimed.items()))


def refuse(results: list[Result], plan: Sorted, refused: Mapping[int, Refusal]) -> None:
    """Refuse drafts of a batch, and those that follow a person whom one of them would open."""
    results[:] = [
        refused.get(index) or (refused.get(holder.index) if holder else None) or result
        for index, (result, holder) in enumerate(zip(results, plan.holders, strict=True))
    ]


def _append(
    done: Sorted,
    holder: Holder | None,
    why: Refusal | None,
    *,
    opens: bool = False,
    marks: tuple[Mark, ...] = (),
    elsewhere: bool = False,
) -> None:
    done.holders.append(holder)
    done.refusals.append(why)
    done.opens.append(opens)
    done.marks.append(marks)
    done.elsewhere.append(elsewhere)


def binding_of(identifier: Identifier, now: datetime) -> AccountBinding:
    """Whom an identifier means."""
    binding = contract.as_of(identifier.bindings, now)
    return AccountBinding(binding.member, binding.account, binding.shard)


_ELSEWHERE: Final = refusal_of(additions.OfAnotherParty(additions.OF_ANOTHER))
