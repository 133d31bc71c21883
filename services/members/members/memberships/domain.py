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
from members import crypto as words
from members.additions import domain as additions
from members.additions.domain import Enroller
from members.crypto import Seat
from members.identifiers import domain as identifiers
from members.identifiers.domain import Mark
from members.people.domain import Consents

# ----------------------------------------------------------------------------------------- values


class Consented(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person agreed to. wording: version of the text that was shown."""

    terms: bool = False
    receipts: bool = False
    marketing: bool = False
    wording: str = ""


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One enrolment as it is asked for; also one line of an import.

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
    """Why one request enrols nobody. error: what a single request hears."""

    code: str
    detail: str
    fa: str
    error: type[errors.Problem] = errors.Invalid


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A membership. known: the mobile, or the partner's reference, had it before."""

    seat: Seat
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
        found = bodies.read(line)
    except errors.Malformed as error:
        if error.code == "malformed-json":
            return refusal(NOT_JSON, error.detail)
        return Refusal(error.code, error.detail, error.fa)
    if not isinstance(found, dict):
        return refusal(NOT_JSON, "a line is one JSON object")
    try:
        asked = msgspec.convert(found, Request)
    except msgspec.ValidationError as error:
        return refusal(BAD_FIELDS, str(error))
    return read(asked, keys=keys, wording=wording)


def read(asked: Request, *, keys: Ring, wording: str) -> Draft | Refusal:
    """A request with its text cleaned and its identifiers in canonical form."""
    if not asked.consents.terms:
        return refusal(NO_TERMS, "consents.terms must be true; ask the person first")
    try:
        name = words.clean_name(asked.name)
        shown = words.clean_name(asked.consents.wording) or wording
    except ValueError as error:
        return refusal(BAD_TEXT, f"name or wording: {error}")
    marks = _marks(asked, keys)
    if isinstance(marks, Refusal):
        return marks
    answers = asked.consents
    return Draft(
        contact=SealedContact(mobile=marks[0].text if asked.mobile else "", name=name),
        marks=marks,
        consents=Consents(True, answers.receipts, answers.marketing, shown),
        account=asked.account,
        locale=asked.locale,
        party=asked.party or 0,
    )


def _marks(asked: Request, keys: Ring) -> tuple[Mark, ...] | Refusal:
    if asked.external and asked.party is None:
        return refusal(NO_PARTY, "external counts within its party: send the party's number too")
    if asked.party is not None and not asked.external:
        return refusal(BAD_EXTERNAL, "external: a party is named and no reference of it")
    marks: list[Mark] = []
    for kind, text, reason in (
        (IdentifierKind.MOBILE, asked.mobile, BAD_MOBILE),
        (IdentifierKind.EXTERNAL, asked.external, BAD_EXTERNAL),
        (IdentifierKind.CARD, asked.card, BAD_CARD),
    ):
        if not text and (kind is not IdentifierKind.MOBILE or asked.external):
            continue
        try:
            marks.append(identifiers.mark(keys, kind, text or "", party=asked.party or 0))
        except ValueError as error:
            return refusal(reason, f"{kind.value}: {error}")
    return tuple(marks)


def read_mobile(text: str, *, keys: Ring) -> Mark | Refusal:
    """A mobile in any spelling as an identifier."""
    try:
        return identifiers.mark(keys, IdentifierKind.MOBILE, text)
    except ValueError as error:
        return refusal(BAD_MOBILE, f"mobile: {error}")


def fingerprint(asked: Request, *, key: Key) -> bytes:
    """Keyed digest of a request, by which a repeat is told from another under one id."""
    return stamp(key, msgspec.json.encode(asked, order="sorted"))


def is_repeat(asked: Request, kept: bytes, *, keys: Ring) -> bool:
    """Whether a fingerprint that was kept is this request's. Raises KeyMissing."""
    try:
        return fingerprint(asked, key=find(keys, kept)) == kept
    except MissingKey as error:
        raise words.KeyMissing(f"this enrolment: {error}, in PEYVAND_MEMBER_KEYS") from error


# ---------------------------------------------------------------------------------------- sorting


@dataclass(frozen=True, slots=True)
class Holder:
    """Who an identifier of a batch is for: a member who exists, or the draft at an index."""

    seat: Seat | None
    index: int


@dataclass(frozen=True, slots=True)
class Sorted:
    """A batch sorted out, all lists as long as it.

    holders: who each draft is; None where refusals says why not. opens: the draft is a new member.
    marks: identifiers still to be issued for it.
    """

    holders: list[Holder | None]
    refusals: list[Refusal | None]
    opens: list[bool]
    marks: list[tuple[Mark, ...]]


def sort_out(drafts: Sequence[Draft], found: Mapping[str, Identifier], *, now: datetime) -> Sorted:
    """Tell new members from known ones and refuse identifiers that mean somebody else.

    found: identifiers that exist, by the newest digest. The same first mark means the same member,
    in the house and within the batch; the first draft of the batch that names an identifier has it.
    """
    held: dict[str, Holder] = {
        digest: Holder(_seat(identifier, now), -1) for digest, identifier in found.items()
    }
    done = Sorted([], [], [], [])
    for index, draft in enumerate(drafts):
        first, *others = draft.marks
        holder = held.get(first.digest)
        opens = holder is None
        holder = holder or Holder(None, index)
        clash = next((m for m in others if held.get(m.digest, holder) != holder), None)
        if clash is not None:
            detail = f"{clash.kind.value}: belongs to another member"
            _append(done, None, refusal(TAKEN, detail), opens=False, marks=())
            continue
        fresh = tuple(m for m in draft.marks if m.digest not in held)
        held |= {m.digest: holder for m in fresh}
        _append(done, holder, None, opens=opens, marks=fresh)
    return done


@dataclass(frozen=True, slots=True)
class Touch:
    """A draft that adds to an account that was there before, or has what it holds shown."""

    index: int
    account: int
    identifiers: tuple[ShownIdentifier, ...]


def touches(
    drafts: Sequence[Draft], plan: Sorted, results: Sequence[Result], *, shows: bool
) -> list[Touch]:
    """What of a batch touches accounts that were there before. shows: a known one is shown."""
    found: list[Touch] = []
    for index, (result, holder) in enumerate(zip(results, plan.holders, strict=True)):
        if isinstance(result, Refusal) or holder is None:
            continue
        if holder.seat is None and drafts[holder.index].account is None:
            continue  # its account is opened by this very batch
        added = tuple(
            ShownIdentifier(kind=mark.kind, last4=mark.text[-4:])
            for mark in plan.marks[index]
            if mark.kind in additions.SPENDING
        )
        if added or plan.opens[index] or shows:
            found.append(Touch(index, result.seat.account, added))
    return found


def of_other_parties(drafts: Sequence[Draft], by: Enroller) -> dict[int, Refusal]:
    """Drafts that name another party's reference under a partner's key, by index."""
    return {
        index: refusal_of(additions.OfAnotherParty("party: the key is another party's"))
        for index, draft in enumerate(drafts)
        if draft.party and not by.may(draft.party)
    }


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
    opens: bool,
    marks: tuple[Mark, ...],
) -> None:
    done.holders.append(holder)
    done.refusals.append(why)
    done.opens.append(opens)
    done.marks.append(marks)


def _seat(identifier: Identifier, now: datetime) -> Seat:
    binding = contract.as_of(identifier.bindings, now)
    return Seat(binding.member, binding.account, binding.shard)
