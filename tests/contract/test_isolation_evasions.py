"""What names another's thing by other means than a plain address: still nobody's but his.

Spellings of an address, methods, queries, bodies, and the names of transactions.
"""

import json
import re
from typing import Any, Final

import pytest

from support.asgi import Answer

from .edge import NOW, Edge, uuid_of
from .matrix import NAMES_SOMEBODYS, Cells, Tenants, is_refused, numbered, proxied, target
from .owners import OWNERS, Owner
from .tenants import Tenant, confirm_second_factor, signed_in

PERSIAN: Final = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
ARABIC: Final = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def _percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def spellings(path: str, own: str, his: str) -> list[str]:
    """Addresses that may be taken for his, where own and his stand for the tenant's number."""
    at = path.replace("{}", his)
    return [
        path.replace("{}", _percent(his)),
        *(path.replace("{}", _percent(his.translate(digits))) for digits in (PERSIAN, ARABIC)),
        *(path.replace("{}", spelt) for spelt in (f"0{his}", f"+{his}", f"{his}.0", f"%20{his}")),
        *(path.replace("{}", spelt) for spelt in (f"{his}%00", f"{his};{own}", f"{own},{his}")),
        path.replace("{}", f"{own}/../{his}"),
        path.replace("{}", f"{own}%2F..%2F{his}"),
        path.replace("{}", f"{own}%2F%2E%2E%2F{his}"),
        *(at + "/", at.replace("/v1/", "//v1/"), at.replace("/v1/", "/v1//"), "/v1/./" + at[4:]),
        *(at.upper().replace("/V1/", "/v1/"), at.replace("/v1/", "/%76%31/"), at + "/%2e%2e"),
        *(f"{at}?merchant={own}&member={own}", f"{at}#/{own}", f"{at}%3F{own}"),
    ]


async def test_no_spelling_of_an_address_comes_to_anothers(edge: Edge, tenants: Tenants) -> None:
    mine, other = tenants
    cells = Cells(edge)
    for row, method, path in proxied(Owner.MERCHANT, Owner.MEMBER, Owner.PERSON):
        first = (re.findall(r"\{(\w+)\}", path) or [""])[0]
        if first not in NAMES_SOMEBODYS or method == "POST":
            continue
        pattern = target(path, other.values | {first: "{}"}).partition("?")[0]
        for at in spellings(pattern, mine.values[first], other.values[first]):
            for who in numbered("one"):
                await cells.check(who, row, at, is_refused, None, never=other.mark)
    cells.conclude(3_000)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PATCH", "POST", "get", "Get", "X"])
async def test_no_method_comes_to_anothers(edge: Edge, tenants: Tenants, method: str) -> None:
    mine, other = tenants
    for _, _, path in proxied(Owner.MERCHANT, Owner.MEMBER, Owner.PERSON):
        if "{" not in path or f"POST {path}" in OWNERS:
            continue
        for values in (mine.values, other.values):
            for who in numbered("one"):
                answer = await edge.call(who, method, target(path, values))
                is_head = method == "HEAD" and values is mine.values
                assert is_refused(answer) or is_head, (who, method, path, answer)
                assert not answer.body or method != "HEAD" or answer.code, (who, path, answer)


FORGED_HEADERS: Final = (
    {"x-peyvand-actor": "forged"},
    {"x-http-method-override": "GET", "x-original-url": "/v1/merchants/5"},
    {"x-rewrite-url": "/v1/merchants/5", "x-forwarded-prefix": "/v1/merchants/5"},
    {"x-user": "all", "x-roles": "money", "x-forwarded-for": "127.0.0.1"},
)


async def test_no_header_of_a_caller_makes_him_another(edge: Edge, tenants: Tenants) -> None:
    for headers in FORGED_HEADERS:
        for path in ("/v1/merchants/6", "/v1/parties/3", "/v1/users", "/v1/members/2"):
            for who in (*numbered("one"), ""):
                answer = await edge.call(who, "GET", path, **headers)
                assert answer.status in (401, 403), (headers, path, who, answer)
                assert tenants[1].mark not in answer.text


def filters(other: Tenant) -> list[str]:
    """Queries that name another's."""
    names = ("merchant", "party", "member", "account", "user", "terminal", "branch", "session")
    his = [f"{name}={other.values[name]}" for name in names]
    return [*his, "&".join(his), f"title={other.mark}", f"reference={other.mark}", "subject=all"]


async def test_no_query_shows_anothers(edge: Edge, tenants: Tenants) -> None:
    """Also where the address is one's own, and every list without a number in its address."""
    mine, other = tenants
    cells = Cells(edge)
    for row, method, path in proxied():
        if method != "GET":
            continue
        at = target(path, mine.values)
        for query in filters(other):
            for who in numbered("one"):
                sent = f"{at}{'&' if '?' in at else '?'}{query}"
                await cells.check(who, row, sent, lambda _: True, never=other.mark)
    cells.conclude(4_000)


def enrolment(**changes: Any) -> dict[str, Any]:
    """A partner's enrolment of somebody."""
    return {"mobile": "09121110000", "consents": {"terms": True}} | changes


async def test_no_body_of_a_partner_names_anothers_account_or_party(
    edge: Edge, tenants: Tenants
) -> None:
    mine, other = tenants
    account, member = int(other.values["account"]), int(other.values["member"])
    own, own_member = int(mine.values["account"]), int(mine.values["member"])
    bodies: list[Any] = [
        enrolment(party=int(other.values["party"]), external="somebody-of-ours"),
        enrolment(account=account),
        enrolment(account=str(account)),
        enrolment(mobile="09120000003"),  # whom the other enrolled
        enrolment(party=int(other.values["party"]), external=other.mark, account=own),
    ]
    cells = Cells(edge)
    for who in ("partner-of-one", "enroller-program-of-one"):
        for number, body in enumerate(bodies):
            at = f"/v1/enrolments/{uuid_of(who, number)}"
            row = "PUT /v1/enrolments/{enrolment}"
            await cells.check(who, row, at, is_refused, body, never=other.mark)
        lines = b"\n".join(json.dumps(body).encode() for body in bodies)
        for check in ("", "?check=true"):
            at = f"/v1/members/import{check}"
            answer = await edge.call(who, "POST", at, lines, **{"content-type": "a/x-ndjson"})
            taken = answer.status == 200 and (answer.json()["enrolled"] or answer.json()["known"])
            assert not taken, answer
        for values in ({"account": account, "member": member}, {"account": own, "member": member},
                       {"account": account, "member": own_member}):  # fmt: skip
            identifier = mine.values["identifier_id"]
            at = f"/v1/identifiers/{identifier}/bindings/{uuid_of(who, str(values))}"
            row = "PUT /v1/identifiers/{identifier_id}/bindings/{binding}"
            body = values | {"from_at": "2026-03-22T00:00:00Z"}
            await cells.check(who, row, at, is_refused, body, never=other.mark)
    cells.conclude(16)


def purchase(**changes: Any) -> dict[str, Any]:
    """A till's purchase, which without a road comes as far as its identifier."""
    name = {"terminal": 51, "epoch": 1, "sequence": 1}
    shown = {"kind": "mobile", "value": "09120000002"}
    about = {"kind": "purchase", "occurred_at": NOW.isoformat(), "amount_rial": 10_000}
    return name | about | {"identifier": shown} | changes


OTHERS_TRANSACTIONS: Final = (
    (purchase(terminal=61), "terminal-mismatch"),
    (purchase(terminal="۶۱"), "terminal-mismatch"),
    (purchase(merchant=6, order="1", operation="purchase"), "merchant-mismatch"),
)


@pytest.mark.usefixtures("tenants")
async def test_a_till_names_only_its_own(edge: Edge) -> None:
    for body, code in OTHERS_TRANSACTIONS:
        answer = await edge.call("till-of-one", "POST", "/v1/transactions", body)
        assert answer.status in (403, 422), answer
        assert answer.status == 422 or answer.code == code, answer


@pytest.mark.usefixtures("tenants")
async def test_the_status_of_a_transaction_is_its_merchants_and_staffs(edge: Edge) -> None:
    own, his = ("1.t.51.1.1", "1.o.5.77.purchase"), ("1.t.61.1.1", "1.o.6.77.purchase")
    for name in (*own, *his):
        answer = await edge.call("till-of-one", "GET", f"/v1/transactions/{name}")
        assert answer.status == (403 if name in his else 202), (name, answer)
        for who in numbered("one"):
            if not who.startswith("till"):
                answer = await edge.call(who, "GET", f"/v1/transactions/{name}")
                assert answer.status == 403, (who, name, answer)
        assert (await edge.call("support", "GET", f"/v1/transactions/{name}")).status == 202
        assert (await edge.call("", "GET", f"/v1/transactions/{name}")).status == 401
    spelt = ["1.t.۶۱.1.1", "1.t.061.1.1", "1.t.51.1.1/../1.t.61.1.1", "1.T.61.1.1", "1.o.06.7.p"]
    for name in spelt:
        answer = await edge.call("till-of-one", "GET", f"/v1/transactions/{_percent(name)}")
        assert answer.status in (403, 404, 422), (name, answer)


@pytest.mark.usefixtures("tenants")
async def test_history_is_for_its_role_alone(edge: Edge) -> None:
    for who in (*numbered("one"), "money", "support", "partners"):
        answer = await edge.call(who, "POST", "/v1/history", {})
        assert answer.status == 403, (who, answer)
    assert (await edge.call("history", "POST", "/v1/history", {})).status == 422
    assert (await edge.call("", "POST", "/v1/history", {})).status == 401


@pytest.mark.usefixtures("tenants")
async def test_a_proposal_is_its_proposers_and_of_whoever_may_decide(edge: Edge) -> None:
    """Two of one merchant's people see none of what the network's people propose."""
    await signed_in(edge, "proposer", uuid_of("proposer"), "rules", "network")
    await confirm_second_factor(edge, "proposer")
    at = "/v1/rules/a-rule/versions/1"
    answer: Answer = await edge.call("proposer", "PUT", at, {"title_en": "of the network"})
    assert answer.status == 202, answer
    address = answer.headers["location"]
    assert (await edge.call("proposer", "GET", address)).status == 200
    for who in numbered("one"):
        for method, path in (
            ("GET", address), ("PUT", f"{address}/approval"), ("PUT", f"{address}/withdrawal"),
            ("PUT", f"{address}/rejection"),
        ):  # fmt: skip
            given = {"reason": "x"} if path.endswith("rejection") else None
            heard = await edge.call(who, method, path, given)
            assert heard.status in (403, 404), (who, method, path, heard)
        listed = await edge.call(who, "GET", "/v1/proposals")
        assert "a-rule" not in listed.text, (who, listed)
