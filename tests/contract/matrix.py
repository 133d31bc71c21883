"""The matrix of isolation: its callers, its addresses, and what each cell came to."""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from support.asgi import Answer

from .edge import Edge, uuid_of
from .owners import OWNERS, Owner
from .tenants import Tenant
from .test_authority import LETTERS, TABLE

Tenants = tuple[Tenant, Tenant]
ROLES: Final = {row: letters for rows in TABLE.values() for row, letters in rows.items()}
LETTER_OF: Final = {role: letter for letter, role in LETTERS.items()}
FORGED: Final = {
    "forged-till": f"pvt_51_aaaaaaaa_{'x' * 43}",
    "forged-session": f"pvs_{'0' * 32}_{'x' * 43}",
    "forged-program": f"pvk_{'0' * 32}_{'x' * 43}",
    "forged-operator": "pvo_money_x",
    "no-key": "",
}
QUERIES: Final = {
    "/v1/merchants/{merchant}/tally": "from=2026-03-01&to=2026-03-21",
    "/v1/merchants/{merchant}/statements/{window}/transactions": "side=claim&counterparty=3",
}
# the words of a refusal for want of a right, as gateway and services have them
RIGHTS: Final = {"role-missing", "forbidden", "second-factor-needed", "member-of-another-party"}


def proxied(*owners: Owner) -> Iterator[tuple[str, str, str]]:
    """Row, method and path of each route of administration whose things are of these owners."""
    for row, owner in OWNERS.items():
        if owner in (owners or tuple(Owner)) and row in ROLES:
            method, path = row.split(" ")
            yield row, method, path


def target(path: str, values: dict[str, str]) -> str:
    """An address that a route serves. What no tenant has is nobody's: a UUID, or a number."""
    filled = re.sub(r"\{(\w+)\}", lambda m: values.get(m[1]) or _nobodys(m[1]), path)
    return f"{filled}?{QUERIES[path]}" if path in QUERIES else filled


def _nobodys(name: str) -> str:
    number = {"batch", "shard", "sequence", "lot", "number", "window", "version", "party"}
    words = {"kind": "rules", "rule": "a-rule", "id": "1.t.51.1.1", "session": "0" * 32}
    words |= {"merchant": "999", "branch": "999", "terminal": "999", "key_id": "zzzzzzzz"}
    words |= {"member": "999999", "account": "999999"}
    return words.get(name, "9999" if name in number else uuid_of("nobody's", name))


def is_let_in(answer: Answer) -> bool:
    """Whether it was not for want of a key or a right that it ended as it did."""
    return answer.status != 401 and answer.code not in RIGHTS


def is_kept_out(answer: Answer) -> bool:
    """Whether somebody known came to nothing."""
    return answer.status in (403, 404)


def is_refused(answer: Answer) -> bool:
    """Whether it came to nothing: also where an id that somebody gave already means his thing."""
    return 400 <= answer.status < 500


class Cells:
    """What each cell of a matrix came to; at the end none may be wrong, and there were some."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._wrong: list[str] = []
        self.count = 0

    async def check(
        self, who: str, row: str, at: str, right: Callable[[Answer], bool], body: Any = None,
        *, never: str = "",
    ) -> Answer:  # fmt: skip
        """Call, and note where the answer is not right. never: a text that it may not hold."""
        answer = await self._edge.call(who, row.split(" ")[0], at, body)
        self.count += 1
        shown = bool(never) and never in answer.text
        if not right(answer) or shown or answer.status >= 500:
            told = f"{row} at {at} for {who or 'nobody'}: {answer.status} {answer.text[:160]}"
            self._wrong.append(f"{'another tenant shown: ' if shown else ''}{told}")
        return answer

    def conclude(self, at_least: int) -> None:
        """Raise where a cell was wrong."""
        assert not self._wrong, "\n".join([f"{len(self._wrong)} wrong cells", *self._wrong[:40]])
        assert self.count >= at_least, self.count


def body_of(method: str) -> Any:
    """A body that no write takes, so that whoever is let in changes nothing."""
    return None if method in ("GET", "DELETE") else {"nonsense": 1}


def numbered(suffix: str) -> dict[str, Owner]:
    """Whoever has a scope with a number in it, of one tenant, and whose things it is for."""
    readers = ("reader-of", "reader-program-of", "owner-of")
    partners = ("partner-of", "enroller-program-of")
    return {
        **{f"{name}-{suffix}": Owner.MERCHANT for name in readers},
        **{f"{name}-{suffix}": Owner.MEMBER for name in partners},
        f"disputer-program-of-{suffix}": Owner.PARTY,
        f"till-of-{suffix}": Owner.TILL,
    }


def is_own(who: str, scope: Owner, row: str) -> bool:
    """Whether a numbered scope comes to what is its own of a route."""
    owner = OWNERS[row]
    if owner is Owner.PERSON:
        return who.startswith("owner-of")
    reads = row.startswith("GET ") or owner in (Owner.MEMBER, Owner.PARTY)
    return owner is Owner.OPEN or (owner is scope and reads)


def others_of(path: str, mine: Tenant, other: Tenant) -> list[str]:
    """Addresses of what is another's: all of it, and what lies under his behind one's own."""
    first, *below = re.findall(r"\{(\w+)\}", path)
    whole = target(path, other.values)
    if first not in ("merchant", "member", "party") or set(below) <= {"version", "window"}:
        return [whole]
    return [whole, target(path, other.values | {first: mine.values[first]})]


# what of an address is one tenant's alone; versions and windows have everybody's numbers
NAMES_SOMEBODYS: Final = {
    "merchant",
    "party",
    "member",
    "identifier_id",
    "session",
    "factor",
    "user",
}


def body_for(row: str, mine: Tenant) -> Any:
    """A body that the route takes: only whose the thing is may stand in the way."""
    method, path = row.split(" ")
    if method in ("GET", "DELETE"):
        return None
    at = "2026-03-22T00:00:00Z"
    account, member = int(mine.values["account"]), int(mine.values["member"])
    return {
        "/v1/members/{member}/consents/{request_id}": {
            "receipts": True, "marketing": True, "wording": "1"
        },
        "/v1/members/{member}/mobiles/{identifier}": {"mobile": "09121112233"},
        "/v1/identifiers/{identifier_id}/bindings/{binding}": {
            "account": account, "member": member, "from_at": at
        },
        "/v1/second-factors/{factor}/confirmation": {"code": "123456"},
    }.get(path)  # fmt: skip
