"""An addition to an existing account is notified, bounded and scoped to a party (A10).

Each door that adds: a card, a mobile, an enrolment that knows the person or joins the account, a
line of an import, and a change of hands.
"""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts import envelope, topics
from contracts.members import HoldingChange, HoldingChanged, luhn_check_digit
from kit.base.db import Database
from kit.stream import outbox
from members.terms import enrolment_terms

NOON = datetime(2026, 3, 21, 8, 0, tzinfo=UTC)
LATER = (NOON + timedelta(minutes=5)).isoformat()
MINE = ("enrol",)
TERMS = {"terms": True}


def key(n: int) -> uuid.UUID:
    return uuid.UUID(int=n)


class Club:
    """The HTTP door, and the notices published since they were last taken."""

    def __init__(self, door: Any, pool: Database) -> None:
        self.door, self.pool = door, pool

    async def put(self, path: str, body: Any = None, *, party: int | None = None) -> Any:
        return await self.door("PUT", path, body, roles=MINE, party=party)

    async def enrol(self, n: int, *, party: int | None = None, **more: Any) -> Any:
        body = {"mobile": f"0912{n:07d}", "consents": TERMS} | more
        return await self.put(f"/v1/enrolments/{key(n)}", body, party=party)

    async def load(self, *lines: dict[str, Any], party: int | None = None) -> Any:
        body = "".join(json.dumps(line) + "\n" for line in lines).encode()
        answer = await self.door("POST", "/v1/members/import", body, roles=MINE, party=party)
        return answer.json()

    async def notices(self) -> list[HoldingChanged]:
        async with self.pool.transaction() as tx:
            messages, _ = await outbox.take_messages(tx, 1_000)
        events = dict(topics.MEMBERS_NOTICES.events)
        return [
            envelope.decode(m.value or b"", events).data
            for m in messages
            if m.topic == topics.MEMBERS_NOTICES.name
        ]


@pytest.fixture
def club(door: Any, pool: Database) -> Club:
    return Club(door, pool)


def kinds(notices: list[HoldingChanged]) -> list[tuple[int, str, list[str]]]:
    return [(t.member, t.change.value, [i.kind.value for i in t.identifiers]) for t in notices]


async def test_a_new_member_gets_no_notice_of_the_first_identifiers(
    club: Club,
) -> None:
    assert (await club.enrol(1)).status_code == 201
    assert await club.notices() == []


async def test_every_door_that_adds_tells_the_holder(club: Club) -> None:
    held = (await club.enrol(1, party=7)).json()
    member, account = held["member"], held["account"]
    other = (await club.enrol(2)).json()
    bare = (await club.put(
        f"/v1/enrolments/{key(3)}", {"consents": TERMS, "external": "E-3", "party": 4_000}
    )).json()  # fmt: skip
    await club.notices()

    card = await club.put(f"/v1/members/{member}/cards/{key(11)}", party=7)
    assert card.status_code == 201
    (notice,) = await club.notices()
    assert (notice.member, notice.account, notice.change) == (member, account, HoldingChange.ADDED)
    assert [(i.kind.value, i.last4) for i in notice.identifiers] == [("card", card.json()["last4"])]
    assert (notice.party, notice.at) == (7, NOON)
    again = await club.put(f"/v1/members/{member}/cards/{key(11)}", party=7)
    assert (again.status_code, await club.notices()) == (200, [])

    mobile = {"mobile": "09120000003"}
    await club.put(f"/v1/members/{bare['member']}/mobiles/{key(12)}", mobile)
    assert kinds(await club.notices()) == [(bare["member"], "added", ["mobile"])]

    await club.put(f"/v1/enrolments/{key(13)}", {"mobile": "09120000001", "consents": TERMS})
    assert kinds(await club.notices()) == [(member, "shown", ["qr"])]

    more = {"mobile": "09120000001", "consents": TERMS, "card": "6037997512345670"}
    await club.put(f"/v1/enrolments/{key(14)}", more)
    assert kinds(await club.notices()) == [(member, "added", ["card"])]

    await club.enrol(15, account=account)
    assert kinds(await club.notices()) == [(member, "added", ["mobile", "card", "qr"])]

    line = {"mobile": "09120000002", "consents": TERMS, "card": "6037991234567893"}
    joins = {"mobile": "09120000016", "consents": TERMS, "account": other["account"]}
    assert (await club.load(line, joins))["bad"] == []
    assert kinds(await club.notices()) == [
        (other["member"], "added", ["card"]),
        (other["member"], "added", ["mobile"]),
    ]


async def test_a_change_of_holder_is_notified_on_both_accounts(club: Club) -> None:
    one, two = (await club.enrol(1)).json(), (await club.enrol(2)).json()
    body = {"account": two["account"], "member": two["member"], "from_at": LATER}
    moved = f"/v1/identifiers/{one['card']['identifier_id']}/bindings/{key(21)}"
    assert (await club.put(moved, body)).status_code == 201
    assert kinds(await club.notices()) == [
        (two["member"], "added", ["card"]),
        (one["member"], "moved", ["card"]),
    ]


async def test_a_partners_reference_spends_nothing_and_causes_no_notice(club: Club) -> None:
    await club.enrol(1)
    line = {"mobile": "09120000001", "consents": TERMS, "external": "67890", "party": 4}
    assert (await club.load(line, party=4)) == {"enrolled": 1, "known": 0, "bad": []}
    assert (await club.load(line, party=4)) == {"enrolled": 0, "known": 1, "bad": []}
    assert await club.notices() == []


async def test_additions_are_bounded_for_an_account_and_for_a_key(club: Club, at: Any) -> None:
    terms = club.door.app.state.resources.shared(enrolment_terms)
    account_day = terms.account_day
    held = (await club.enrol(1)).json()
    path = f"/v1/members/{held['member']}/cards"
    for n in range(account_day):
        assert (await club.put(f"{path}/{key(100 + n)}")).status_code == 201
    over = await club.put(f"{path}/{key(200)}")
    assert (over.status_code, over.json()["code"]) == (429, "too-many-additions")
    assert any("\u0600" <= c <= "\u06ff" for c in over.json()["fa"])
    assert len(await club.notices()) == account_day  # the refused one left nothing
    line = {"mobile": "09120000001", "consents": TERMS, "card": "6037997512345670"}
    fine = {"mobile": "09120000009", "consents": TERMS}
    imported = await club.load(line, fine)
    assert [(bad["line"], bad["code"]) for bad in imported["bad"]] == [(1, "too-many-additions")]
    assert imported["enrolled"] == 1
    at.at = NOON + timedelta(days=1)
    assert (await club.put(f"{path}/{key(200)}")).status_code == 201


async def test_a_key_adds_to_so_many_accounts_a_day(club: Club) -> None:
    terms = club.door.app.state.resources.shared(enrolment_terms)
    await club.load(
        *({"mobile": f"0913{n:07d}", "consents": TERMS} for n in range(terms.key_day + 1))
    )
    cards = (luhn(f"603799{n:09d}") for n in range(terms.key_day + 1))
    lines = [
        {"mobile": f"0913{n:07d}", "consents": TERMS, "card": card} for n, card in enumerate(cards)
    ]
    imported = await club.load(*lines)
    last = terms.key_day + 1
    assert [(bad["line"], bad["code"]) for bad in imported["bad"]] == [(last, "too-many-additions")]


def luhn(body: str) -> str:
    return body + luhn_check_digit(body)


async def test_a_partners_key_acts_on_members_it_enrolled_alone(club: Club) -> None:
    """Each door: adding, joining, showing, reading, asking again, blocking, changing hands."""
    theirs = (await club.enrol(1, party=8)).json()
    nobodys = (await club.enrol(2)).json()
    ours = (await club.enrol(3, party=7)).json()
    await club.notices()
    for held, mobile in ((theirs, "09120000001"), (nobodys, "09120000002")):
        member, card = held["member"], held["card"]["identifier_id"]
        calls: list[tuple[str, str, Any]] = [
            ("PUT", f"/v1/members/{member}/cards/{key(31)}", None),
            ("PUT", f"/v1/members/{member}/mobiles/{key(32)}", {"mobile": "09120000099"}),
            ("PUT", f"/v1/enrolments/{key(33)}", {"mobile": mobile, "consents": TERMS}),
            ("PUT", f"/v1/enrolments/{key(34)}",
             {"mobile": "09120000098", "consents": TERMS, "account": held["account"]}),
            ("GET", f"/v1/members/{member}", None),
            ("PUT", f"/v1/members/{member}/consents/{key(35)}",
             {"receipts": False, "marketing": False, "wording": "1"}),
            ("POST", f"/v1/identifiers/{card}/block", None),
            ("PUT", f"/v1/identifiers/{card}/bindings/{key(36)}",
             {"account": ours["account"], "member": ours["member"], "from_at": LATER}),
            ("PUT", f"/v1/identifiers/{ours['card']['identifier_id']}/bindings/{key(37)}",
             {"account": held["account"], "member": member, "from_at": LATER}),
        ]  # fmt: skip
        for method, path, body in calls:
            answer = await club.door(method, path, body, roles=MINE, party=7)
            refused = (answer.status_code, answer.json().get("code"))
            assert refused == (403, "member-of-another-party"), (method, path, answer.text)
        lines = (
            {"mobile": mobile, "consents": TERMS, "card": "6037997512345670"},
            {"mobile": "09120000097", "consents": TERMS, "account": held["account"]},
            {"mobile": mobile, "consents": TERMS, "external": "5", "party": 8},
            {"mobile": mobile, "consents": TERMS},
        )
        imported = await club.load(*lines, party=7)
        assert [(bad["line"], bad["code"]) for bad in imported["bad"]] == [
            (n, "member-of-another-party") for n in (1, 2, 3, 4)
        ]
    assert await club.notices() == []
    mine = await club.put(f"/v1/members/{ours['member']}/cards/{key(41)}", party=7)
    assert mine.status_code == 201


async def test_whom_an_operator_enrols_by_a_partners_reference_is_the_partners(
    club: Club,
) -> None:
    body = {"consents": TERMS, "external": "67890", "party": 7, "mobile": "09120000001"}
    membership = (await club.put(f"/v1/enrolments/{key(1)}", body)).json()
    path = f"/v1/members/{membership['member']}/cards"
    assert (await club.put(f"{path}/{key(2)}", party=7)).status_code == 201
    assert (await club.put(f"{path}/{key(3)}", party=8)).status_code == 403


# ------------------------------------------------------------------- who is a member elsewhere

STRANGER, THEIRS, NOBODYS = "09120000901", "09120000001", "09120000002"


async def of_three_parties(club: Club) -> dict[str, Any]:
    """A member of party 8, one of the network, one of our own party 7."""
    await club.enrol(1, party=8)
    await club.enrol(2)
    return (await club.enrol(3, party=7)).json()


def answers(imported: dict[str, Any]) -> dict[str, Any]:
    return {"counts": (imported["enrolled"], imported["known"]),
            "bad": [(bad["code"], bad["detail"]) for bad in imported["bad"]]}  # fmt: skip


async def test_what_is_refused_for_all_tells_nobodys_membership(club: Club) -> None:
    """An account of nobody's or of another's, and a card of a member of ours or of theirs."""
    ours = await of_three_parties(club)
    theirs = (await club.enrol(4, party=8, card="6037997512345670")).json()
    assert (await club.enrol(5, party=7, card="6037991234567893")).status_code == 201
    for more in (
        {"account": 4_000_000},
        {"account": theirs["account"]},
        {"card": "6037991234567893"},
        {"card": "6037997512345670"},
        {"account": ours["account"], "card": "6037991234567893"},
        {"external": "E-1", "party": 8},
    ):
        imported = [
            answers(await club.load({"mobile": mobile, "consents": TERMS} | more, party=7))
            for mobile in (STRANGER, THEIRS, NOBODYS)
        ]
        assert imported[0] == imported[1] == imported[2], more
        assert imported[0]["counts"] == (0, 0), more
        doors = [
            await club.put(
                f"/v1/enrolments/{uuid.uuid4()}",
                {"mobile": mobile, "consents": TERMS} | more,
                party=7,
            )
            for mobile in (STRANGER, THEIRS, NOBODYS)
        ]
        refused = {(d.status_code, d.json()["code"], d.json()["detail"]) for d in doors}
        assert len(refused) == 1, (more, refused)
        assert doors[0].status_code >= 400, more
    free = await club.enrol(901, party=9)  # nothing was left of the stranger
    assert free.status_code == 201


async def test_a_line_refused_before_leaves_no_word_on_the_next(club: Club) -> None:
    await of_three_parties(club)
    for mobile in (THEIRS, NOBODYS):
        bad = {"mobile": mobile, "consents": TERMS, "account": 4_000_000}
        imported = await club.load(bad, {"mobile": mobile, "consents": TERMS}, party=7)
        assert [line["code"] for line in imported["bad"]] == [
            "unknown-account", "member-of-another-party"
        ]  # fmt: skip
    bad = {"mobile": STRANGER, "consents": TERMS, "account": 4_000_000}
    imported = await club.load(bad, {"mobile": STRANGER, "consents": TERMS}, party=7)
    assert answers(imported)["counts"] == (1, 0)


async def test_a_new_reference_is_told_the_same_of_a_stranger_and_of_a_member(
    club: Club,
) -> None:
    await of_three_parties(club)
    for mobile, name in ((STRANGER, "S"), (THEIRS, "T"), (NOBODYS, "N")):
        line = {"mobile": mobile, "consents": TERMS, "external": name, "party": 7}
        twice = {**line, "external": name + "-2"}
        assert answers(await club.load(line, party=7)) == {"counts": (1, 0), "bad": []}
        assert answers(await club.load(line, party=7)) == {"counts": (0, 1), "bad": []}
        assert answers(await club.load(twice, party=7)) == {"counts": (1, 0), "bad": []}


async def test_asking_after_members_of_elsewhere_is_bounded_and_then_tells_nothing(
    club: Club,
) -> None:
    """By a file or one by one: every hit is counted, and past the bound strangers hear the same."""
    day = club.door.app.state.resources.shared(enrolment_terms).key_day
    await club.load(*({"mobile": f"0913{n:07d}", "consents": TERMS} for n in range(day)))
    lines = [{"mobile": f"0913{n:07d}", "consents": TERMS} for n in range(day - 1)]
    imported = await club.load(*lines, party=7)
    assert {bad["code"] for bad in imported["bad"]} == {"member-of-another-party"}
    last = {"mobile": f"0913{day - 1:07d}", "consents": TERMS}
    single = await club.put(f"/v1/enrolments/{key(50)}", last, party=7)
    assert single.json()["code"] == "member-of-another-party"
    for mobile in (STRANGER, lines[0]["mobile"]):
        over = await club.put(
            f"/v1/enrolments/{uuid.uuid4()}", {"mobile": mobile, "consents": TERMS}, party=7
        )
        assert (over.status_code, over.json()["code"]) == (429, "too-many-additions")
        imported = await club.load({"mobile": mobile, "consents": TERMS}, party=7)
        assert [bad["code"] for bad in imported["bad"]] == ["too-many-additions"]
    assert (await club.enrol(901)).status_code == 201  # the network's key has its own count


async def test_an_account_that_is_full_for_the_day_tells_nobodys_membership(club: Club) -> None:
    ours = await of_three_parties(club)
    day = club.door.app.state.resources.shared(enrolment_terms).account_day
    for n in range(day):
        await club.put(f"/v1/members/{ours['member']}/cards/{key(60 + n)}", party=7)
    for mobile in (STRANGER, THEIRS, NOBODYS):
        joins = {"mobile": mobile, "consents": TERMS, "account": ours["account"]}
        imported = await club.load(joins, {"mobile": mobile, "consents": TERMS}, party=7)
        assert [bad["code"] for bad in imported["bad"]] == ["too-many-additions"] * 2


async def test_a_mobile_that_is_taken_is_counted_like_one_that_is_added(club: Club) -> None:
    await of_three_parties(club)
    day = club.door.app.state.resources.shared(enrolment_terms).account_day
    bare = (await club.put(
        f"/v1/enrolments/{key(70)}", {"consents": TERMS, "external": "B", "party": 7}, party=7
    )).json()  # fmt: skip
    codes: list[str] = []
    for n in range(day + 1):
        path = f"/v1/members/{bare['member']}/mobiles/{key(80 + n)}"
        codes.append((await club.put(path, {"mobile": THEIRS}, party=7)).json()["code"])
    assert codes == ["identifier-taken"] * day + ["too-many-additions"]
