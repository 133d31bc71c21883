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
from members.additions.domain import Enroller
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
    """A membership. known: the mobile, or the partner's reference, had it before."""

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
    marks: identifiers still to be issued for it.
    """

    holders: list[Holder | None]
    refusals: list[Refusal | None]
    opens: list[bool]
    marks: list[tuple[Mark, ...]]


def sort_out(
    drafts: Sequence[Draft], existing: Mapping[str, Identifier], *, now: datetime
) -> Sorted:
    """Tell new members from known ones and refuse identifiers that mean somebody else.

    existing: identifiers by the newest digest. The same first mark means the same member, among
    those who exist and within the batch. The first draft of the batch that names an identifier
    has it.
    """
    held: dict[str, Holder] = {
        digest: Holder(_account_binding(identifier, now), -1)
        for digest, identifier in existing.items()
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


def _account_binding(identifier: Identifier, now: datetime) -> AccountBinding:
    binding = contract.as_of(identifier.bindings, now)
    return AccountBinding(binding.member, binding.account, binding.shard)
