"""The operator's client: paths and bodies as documented, pages, history, imports."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

import peyvand
from peyvand import administration, member_import, operators, transport

AT = datetime(2026, 3, 21, tzinfo=UTC)
DAY = AT.date()


PROGRAMME = administration.Programme(
    effective_from=AT, title_fa="ف", title_en="P", earn_points=1, earn_per_rial=10_000
)
TERMS = administration.Terms(effective_from=AT, price_rial=100, price_points=1, fee_bp=200)
PART = administration.StatementPart(order="oldest", after=5, since=AT)


def revenue(operator: peyvand.Operator) -> Awaitable[object]:
    vintage = administration.Vintage(issuer=5, month="1405-01")
    later = AT.replace(month=4)
    return operator.revenue(vintage, [AT, later], allocated_rial=[7], redeemed_share_bp=[1, 2])


def stop(operator: peyvand.Operator, kind: str, number: int) -> Awaitable[object]:
    return operator.put_standing(kind, number, "u-1", standing="stopped", reason="lost")


def stop_user(operator: peyvand.Operator) -> Awaitable[object]:
    return operator.put_user_standing("u-1", "c-1", standing="stopped", reason="left")


Call = Callable[[peyvand.Operator], Awaitable[object]]
CALLS: list[tuple[str, Call]] = [
    ("PUT /v1/parties/5", lambda o: o.put_party(5, {"name_fa": "الف"})),
    ("GET /v1/parties/5", lambda o: o.party(5)),
    ("PUT /v1/merchants/5", lambda o: o.put_merchant(5, {"party": 5})),
    ("GET /v1/merchants/5", lambda o: o.merchant(5)),
    ("GET /v1/merchants", lambda o: o.merchants()),
    ("PUT /v1/merchants/5/branches/1", lambda o: o.put_branch(5, 1, {})),
    ("GET /v1/merchants/5/branches/1", lambda o: o.branch(5, 1)),
    ("GET /v1/merchants/5/branches", lambda o: o.branches(5, 2)),
    ("GET /v1/merchants/5/terminals", lambda o: o.terminals(5)),
    ("GET /v1/merchants/5/programmes", lambda o: o.programmes(5)),
    ("GET /v1/merchants/5/tally", lambda o: o.tally(5, DAY, DAY)),
    ("GET /v1/terms", lambda o: o.all_terms()),
    ("PUT /v1/applications/u-1", lambda o: o.put_application("u-1", {"title_fa": "الف"})),
    ("GET /v1/applications/u-1", lambda o: o.application("u-1")),
    ("GET /v1/applications", lambda o: o.applications("u-0", state="assessed")),
    ("PUT /v1/applications/u-1/assessment", lambda o: o.assess("u-1")),
    ("GET /v1/applications/u-1/assessment", lambda o: o.assessment("u-1")),
    ("PUT /v1/applications/u-1/approval", lambda o: o.approve("u-1", ["no-break-even"])),
    ("PUT /v1/applications/u-1/rejection", lambda o: o.reject("u-1", "r")),
    ("PUT /v1/applications/u-1/withdrawal", lambda o: o.withdraw("u-1", "r")),
    ("GET /v1/applications/u-1/preview", lambda o: o.preview("u-1", {"validity_days": 365})),
    ("PUT /v1/applications/u-1/activation", lambda o: o.activate("u-1", {"party": 5})),
    (
        "PUT /v1/onboarding/prices/versions/2",
        lambda o: o.put_onboarding_document("prices", 2, {}, effective_from=AT),
    ),
    ("GET /v1/onboarding/rules/versions/1", lambda o: o.onboarding_document("rules", 1)),
    ("GET /v1/onboarding/rules/versions", lambda o: o.onboarding_documents("rules")),
    ("GET /v1/audit/merchants", lambda o: o.trail("merchants")),
    ("GET /v1/audit/members", lambda o: o.trail("members")),
    ("GET /v1/audit/campaigns", lambda o: o.trail("campaigns")),
    ("GET /v1/audit/fraud", lambda o: o.trail("fraud")),
    ("GET /v1/audit/notify", lambda o: o.trail("notify")),
    ("PUT /v1/terminals/9/activations/u-1", lambda o: o.activate_terminal(9, "u-1")),
    ("PUT /v1/enrolments/u-1", lambda o: o.enrol("u-1", {"mobile": "09120000001"})),
    ("PUT /v1/merchants/5/terminals/9", lambda o: o.put_terminal(5, 9, branch=1)),
    ("GET /v1/merchants/5/terminals/9", lambda o: o.terminal(5, 9)),
    ("PUT /v1/terminals/9/keys/abcd1234", lambda o: o.put_terminal_key(9, "abcd1234")),
    ("DELETE /v1/terminals/9/keys/abcd1234", lambda o: o.revoke_terminal_key(9, "abcd1234")),
    ("PUT /v1/terminals/9/standings/u-1", lambda o: stop(o, "terminals", 9)),
    ("PUT /v1/merchants/5/standings/u-1", lambda o: stop(o, "merchants", 5)),
    ("GET /v1/terminals/9/standings", lambda o: o.standings("terminals", 9, 7)),
    ("PUT /v1/accounts/7/standings/u-1", lambda o: stop(o, "accounts", 7)),
    ("PUT /v1/parties/5/standings/u-1", lambda o: stop(o, "parties", 5)),
    ("GET /v1/accounts/7/standings", lambda o: o.standings("accounts", 7)),
    ("GET /v1/parties/5/standings", lambda o: o.standings("parties", 5)),
    ("GET /v1/accounts/7/standings/u-1", lambda o: o.standing("accounts", 7, "u-1")),
    ("GET /v1/parties/5/standings/u-1", lambda o: o.standing("parties", 5, "u-1")),
    ("GET /v1/merchants/5/standings", lambda o: o.standings("merchants", 5)),
    ("PUT /v1/merchants/5/programmes/1", lambda o: o.put_programme(5, 1, PROGRAMME)),
    ("GET /v1/merchants/5/programmes/1", lambda o: o.programme(5, 1)),
    ("PUT /v1/terms/1", lambda o: o.put_terms(1, TERMS)),
    ("GET /v1/terms/1", lambda o: o.terms(1)),
    ("PUT /v1/windows/2", lambda o: o.cut_window(2)),
    ("GET /v1/windows/2", lambda o: o.window(2)),
    ("GET /v1/windows", lambda o: o.windows()),
    ("GET /v1/windows/2/pairs", lambda o: o.window_pairs(2)),
    ("GET /v1/windows/2/positions", lambda o: o.window_positions(2)),
    ("GET /v1/windows/2/reconciliation", lambda o: o.reconciliation(2)),
    ("GET /v1/windows/2/statements/5", lambda o: o.party_statement(2, 5)),
    ("GET /v1/windows/2/statements/5/csv", lambda o: o.party_statement_csv(2, 5)),
    (
        "GET /v1/windows/2/statements/5/transactions",
        lambda o: o.party_transactions(2, 5, side="due", counterparty=6),
    ),
    ("GET /v1/merchants/5/statements/2", lambda o: o.merchant_statement(5, 2)),
    ("GET /v1/merchants/5/statements/2/csv", lambda o: o.merchant_statement_csv(5, 2)),
    (
        "GET /v1/merchants/5/statements/2/transactions",
        lambda o: o.merchant_transactions(5, 2, side="due", counterparty=6),
    ),
    ("GET /v1/members/3", lambda o: o.member(3)),
    ("PUT /v1/members/3/consents/u-1", lambda o: o.put_consents(3, "u-1", {"terms": True})),
    ("PUT /v1/members/3/cards/u-1", lambda o: o.put_card(3, "u-1")),
    ("PUT /v1/members/3/mobiles/u-1", lambda o: o.put_mobile(3, "u-1", "09120000001")),
    ("POST /v1/identifiers/i-1/block", lambda o: o.block_identifier("i-1")),
    ("PUT /v1/identifiers/i-1/bindings/u-2", lambda o: o.rebind_identifier("i-1", "u-2", {})),
    ("PUT /v1/rules/double/versions/1", lambda o: o.put_rule("double", 1, {})),
    ("GET /v1/rules/double/versions/1", lambda o: o.rule("double", 1)),
    ("GET /v1/rules", lambda o: o.rules()),
    ("POST /v1/rules/evaluate", lambda o: o.evaluate_rules({"merchant": 5})),
    ("PUT /v1/first-purchase/versions/1", lambda o: o.put_first_purchase(1, {})),
    ("GET /v1/first-purchase/versions/1", lambda o: o.first_purchase(1)),
    ("PUT /v1/fraud-rules/burst/versions/2", lambda o: o.put_fraud_rule("burst", 2, {})),
    ("GET /v1/fraud-rules/burst/versions/2", lambda o: o.fraud_rule("burst", 2)),
    ("GET /v1/fraud-rules", lambda o: o.fraud_rules()),
    ("GET /v1/cases", lambda o: o.cases()),
    ("GET /v1/cases/c-1", lambda o: o.case("c-1")),
    ("PUT /v1/cases/c-1/verdict", lambda o: o.put_review_outcome("c-1", "release")),
    ("GET /v1/fraud-alerts", lambda o: o.fraud_alerts()),
    ("GET /v1/accounts/1000001/balance", lambda o: o.balance(1_000_001)),
    ("GET /v1/accounts/1000001/lots", lambda o: o.lots(1_000_001)),
    ("GET /v1/accounts/1000001/statement", lambda o: o.statement(1_000_001, 77)),
    ("GET /v1/accounts/1000001/lots/4096", lambda o: o.lot(1_000_001, 4096)),
    ("GET /v1/bookings/5.h.5.a%252Eb.purchase", lambda o: o.booking("5.h.5.a%2Eb.purchase")),
    ("GET /v1/positions", lambda o: o.positions()),
    ("GET /v1/vintages", lambda o: o.vintages()),
    ("GET /v1/revenue", lambda o: revenue(o)),
    ("GET /v1/checkpoints", lambda o: o.checkpoints()),
    ("GET /v1/checkpoints/3", lambda o: o.checkpoint(3)),
    ("GET /v1/proofs/3/17", lambda o: o.inclusion_proof(3, 17)),
    ("GET /v1/accounts/1000001/entries/4/proof", lambda o: o.entry_proof(1_000_001, 4)),
    ("GET /v1/consistency/3", lambda o: o.consistency_proof(3, 10)),
    ("GET /v1/messages", lambda o: o.messages(member=3)),
    ("GET /v1/messages", lambda o: o.message_counts()),
    ("GET /v1/audit/identity", lambda o: o.trail("identity")),
    ("PUT /v1/users/u-1", lambda o: o.put_user("u-1", {"login": "09120000001"})),
    ("GET /v1/users/u-1", lambda o: o.user("u-1")),
    ("GET /v1/users", lambda o: o.users(login="a@example.org")),
    ("PUT /v1/users/u-1/invitations/i-1", lambda o: o.put_invitation("u-1", "i-1")),
    ("PUT /v1/users/u-1/standings/c-1", lambda o: stop_user(o)),
    ("PUT /v1/users/u-1/grants/c-1", lambda o: o.put_grants("u-1", "c-1", grants=(), reason="x")),
    ("GET /v1/users/u-1/changes", lambda o: o.user_changes("u-1", 7)),
    ("GET /v1/users/u-1/sessions", lambda o: o.sessions_of("u-1")),
    ("POST /v1/invitations/accept", lambda o: o.accept_invitation("pvi_x", "four words")),
    ("POST /v1/sessions", lambda o: o.sign_in("a@example.org", "four words", code="1")),
    ("GET /v1/sessions", lambda o: o.own_sessions()),
    ("DELETE /v1/sessions", lambda o: o.end_other_sessions()),
    ("DELETE /v1/sessions/s-1", lambda o: o.end_session("s-1")),
    ("PUT /v1/second-factors/f-1", lambda o: o.enrol_factor("f-1")),
    ("GET /v1/second-factors", lambda o: o.factors()),
    ("PUT /v1/second-factors/f-1/confirmation", lambda o: o.confirm_factor("f-1", "123456")),
    ("PUT /v1/api-keys/k-1", lambda o: o.put_api_key("k-1", name="x", roles=(), ends_at=AT)),
    ("PUT /v1/api-keys/k-1/successors/k-2", lambda o: o.put_successor("k-1", "k-2", ends_at=AT)),
    ("DELETE /v1/api-keys/k-1", lambda o: o.end_api_key("k-1")),
    ("GET /v1/api-keys/k-1", lambda o: o.api_key("k-1")),
    ("GET /v1/api-keys", lambda o: o.api_keys()),
    ("PUT /v1/password", lambda o: o.change_password("four words", "five other words")),
]


ANY = {  # what every call can read its answer in
    "items": [], "next": None, "counts": {"queued": 1}, "terminal": 9, "epoch": 1, "key_id": "k",
    "key": "k", "member": 1, "account": 1, "shard": 1, "qr": "PV1x",
    "card": {"number": "6037", "last4": "6037", "identifier_id": "i"},
    "session": "s", "token": "pvs_s_x", "user": "u-1", "roles": [], "withheld": [],
    "idle_ends_at": "2026-03-21T00:00:00Z", "ends_at": "2026-03-21T00:00:00Z", "ended": 0,
    "factor": "f-1", "uri": None, "recovery_codes": None, "name": "x", "text": None,
}  # fmt: skip


@pytest.mark.parametrize(("told", "call"), CALLS)
async def test_every_call_uses_the_documented_method_and_path(
    scripted: Any, operator: peyvand.Operator, reply: Any, told: str, call: Call
) -> None:
    scripted.script = [reply(200, json.dumps(ANY).encode())]
    await call(operator)
    (seen,) = scripted.seen
    assert f"{seen.method} {seen.path}" == told


async def test_queries_and_bodies_are_as_documented(
    scripted: Any, operator: peyvand.Operator, reply: Any
) -> None:
    scripted.script = [reply(200, b'{"items":[],"next":null}')]
    await operator.merchants(7, reference="x/ y")
    await operator.cases("c", status="open")
    await operator.statement(1_000_001, 77)
    await operator.put_terminal(5, 9, branch=1)
    await operator.put_review_outcome("c-1", "release", note="ok")
    await operator.put_terms(1, TERMS)
    await operator.put_programme(5, 1, PROGRAMME)
    merchants, cases, statement, terminal, verdict, terms, programme = scripted.seen
    assert merchants.query == {"after": "7", "limit": "200", "reference": "x/ y"}
    assert cases.query == {"after": "c", "limit": "200", "status": "open"}
    assert statement.query == {"before": "77", "limit": "200"}
    assert json.loads(terminal.body) == {"branch": 1}
    assert json.loads(verdict.body) == {"verdict": "release", "note": "ok"}
    assert json.loads(terms.body)["fee_bp"] == 200
    sent = json.loads(programme.body)
    assert sent["effective_from"] == "2026-03-21T00:00:00Z"
    assert "backdated" not in sent


async def test_moments_are_asked_for_as_documented(
    scripted: Any, operator: peyvand.Operator, reply: Any
) -> None:
    scripted.script = [reply(200, b'{"items":[],"next":null}')]
    await operator.balance(1_000_001, AT)
    await operator.balance(1_000_001, 17)
    await operator.lots(1_000_001, 9, which="all", as_of=17)
    await operator.statement(1_000_001, part=PART)
    await operator.positions("5.6", as_of={"0": 12, "1": 0})
    await operator.vintages(issuer=5, as_of=AT)
    await operator.inclusion_proof(3, 17, size=40)
    await operator.consistency_proof(3, 10, 40)
    await operator.entry_proof(1_000_001, 4, unit="MP", issuer=5)
    assert [seen.query for seen in scripted.seen] == [
        {"at": "2026-03-21T00:00:00+00:00"},
        {"sequence": "17"},
        {"which": "all", "after": "9", "limit": "200", "sequence": "17"},
        {
            "unit": "NP", "order": "oldest", "flow": "all", "after": "5",
            "since": "2026-03-21T00:00:00+00:00", "limit": "200",
        },
        {"after": "5.6", "limit": "200", "vector": "0:12,1:0"},
        {"issuer": "5", "at": "2026-03-21T00:00:00+00:00", "limit": "200"},
        {"size": "40"},
        {"old": "10", "new": "40"},
        {"unit": "MP", "issuer": "5"},
    ]  # fmt: skip


async def test_windows_are_cut_and_their_lines_followed_as_documented(
    scripted: Any, operator: peyvand.Operator, reply: Any
) -> None:
    scripted.script = [reply(200, b'{"items":[],"next":null}')]
    await operator.cut_window(2)
    await operator.cut_window(2, dry_run=True)
    await operator.windows(7)
    await operator.party_transactions(2, 5, "0.9", side="due", counterparty=6)
    cut, preview, windows, behind = scripted.seen
    assert (json.loads(cut.body), json.loads(preview.body)) == ({}, {"dry_run": True})
    assert windows.query == {"before": "7", "limit": "200"}
    assert behind.query == {"side": "due", "counterparty": "6", "after": "0.9", "limit": "200"}
    scripted.script = [reply(200, "\ufeffدوره\r\n".encode())]
    assert await operator.party_statement_csv(2, 5) == "\ufeffدوره\r\n"


async def test_a_parameter_with_several_values_is_repeated() -> None:
    path = transport.path_of("revenue", at=[AT, AT], allocated_rial=[7], month=None)
    time = "2026-03-21T00%3A00%3A00%2B00%3A00"
    assert path == f"/v1/revenue?at={time}&at={time}&allocated_rial=7"


async def test_a_checkpoint_is_text_as_it_was_signed(
    scripted: Any, operator: peyvand.Operator, reply: Any
) -> None:
    scripted.script = [reply(200, "peyvand.local/ledger/3\n…\n— x y\n".encode())]
    assert await operator.checkpoint(3, size=7) == "peyvand.local/ledger/3\n…\n— x y\n"
    assert scripted.seen[0].query == {"size": "7"}
    scripted.script = [reply(404, b'{"code":"no-checkpoint","detail":"d","fa":"f"}')]
    with pytest.raises(peyvand.NotFound):
        await operator.checkpoint(3)


async def test_activation_and_enrolment_are_typed(
    scripted: Any, operator: peyvand.Operator, reply: Any
) -> None:
    scripted.script = [
        reply(201, b'{"terminal":9,"epoch":3,"key_id":"k","key":"pvt_9_k_s"}'),
        reply(200, b'{"terminal":9,"epoch":3,"key_id":"k","key":null}'),
        reply(
            201,
            b'{"member":1,"account":1000001,"shard":5,"qr":"PV1x","card":'
            b'{"number":"6037990000000006","last4":"0006","identifier_id":"i"}}',
        ),
    ]
    first = await operator.activate_terminal(9, "u")
    assert (first.epoch, first.key) == (3, "pvt_9_k_s")
    assert (await operator.activate_terminal(9, "u")).key is None
    enrolled = await operator.enrol("u", {"mobile": "09121234567"})
    assert (enrolled.account, enrolled.card.last4) == (1_000_001, "0006")


async def test_problems_and_strange_replies_are_raised(
    scripted: Any, operator: peyvand.Operator, reply: Any
) -> None:
    scripted.script = [reply(409, b'{"code":"already-decided","detail":"d","fa":"f"}')]
    with pytest.raises(peyvand.Conflict):
        await operator.put_review_outcome("c", "cancel")
    scripted.script = [reply(200, b"nonsense")]
    with pytest.raises(peyvand.BadReply):
        await operator.positions()
    scripted.script = [reply(503, b'{"code":"unavailable"}')]
    with pytest.raises(peyvand.Unavailable):
        await operator.positions()
    assert len(scripted.seen) == 6  # the last was tried four times


async def test_a_list_is_read_to_its_end(
    scripted: Any, operator: peyvand.Operator, reply: Any
) -> None:
    scripted.script = [
        reply(200, b'{"items":[{"case":"a"},{"case":"b"}],"next":"b"}'),
        reply(200, b'{"items":[{"case":"c"}],"next":null}'),
    ]
    found = [item["case"] async for item in operators.every(operator.cases)]
    assert found == ["a", "b", "c"]
    assert scripted.seen[1].query["after"] == "b"


async def test_history_is_posted_and_followed(
    scripted: Any, operator: peyvand.Operator, reply: Any
) -> None:
    answer = (
        b'{"id":"3.h.5.a%2Eb.purchase","kind":"purchase","status":"completed",'
        b'"occurred_at":"2026-03-21T00:00:00Z","accepted_at":"2026-03-21T00:00:00Z"}'
    )
    whole = b'{"id":"3.h.5.a%2Eb.purchase","first_answer":' + answer
    scripted.script = [
        reply(202, b'{"id":"3.h.5.a%2Eb.purchase"}'),
        reply(200, whole + b',"current":{"status":"completed"}}'),
        reply(200, answer),
    ]
    heard = await operator.post_history(
        peyvand.HistoricPurchase(
            merchant=5,
            transaction="a.b",
            identifier=peyvand.Identifier(external="h-1"),
            occurred_at=AT,
            amount_rial=100,
        )
    )
    assert isinstance(heard, peyvand.Answered)
    assert heard.body == answer
    assert json.loads(scripted.seen[0].body) == {
        "merchant": 5,
        "transaction": "a.b",
        "identifier": {"external": "h-1"},
        "occurred_at": "2026-03-21T00:00:00Z",
        "amount_rial": 100,
    }


async def test_an_import_goes_in_chunks_and_names_bad_lines_by_their_number(
    scripted: Any, operator: peyvand.Operator
) -> None:
    from aiohttp import web

    async def answer(request: Any, body: bytes) -> Any:
        lines = [json.loads(line) for line in body.splitlines()]
        bad = [
            {"line": n, "code": "mobile-wrong", "detail": "d", "fa": "f"}
            for n, line in enumerate(lines, 1)
            if line["mobile"] == "bad"
        ]
        counts = {"enrolled": len(lines) - len(bad), "known": 0, "bad": bad}
        return web.json_response(counts)

    scripted.script = [answer]
    mobiles = ["a", "bad", "c", "d", "bad"]
    lines = [
        (number * 10, member_import.line_of(administration.ImportedLine(mobile=mobile)))
        for number, mobile in enumerate(mobiles, 1)
    ]
    progress: list[int] = []
    report = await member_import.import_members(
        operator, lines, progress=progress.append, chunk_lines=2
    )
    assert (report.lines, report.enrolled, report.known) == (5, 3, 0)
    assert [bad.line for bad in report.bad] == [20, 50]
    assert progress == [4, 5]
    assert [s.path for s in scripted.seen] == ["/v1/members/import"] * 3
    assert scripted.seen[0].headers["Content-Type"] == "application/x-ndjson"


async def test_an_import_that_is_refused_whole_raises_the_problem(
    scripted: Any, operator: peyvand.Operator, reply: Any
) -> None:
    scripted.script = [reply(401, b'{"code":"key-unknown"}')]
    with pytest.raises(peyvand.Unauthorized):
        await member_import.import_members(operator, [(1, b"{}"), (2, b"{}")], chunk_lines=1)
    scripted.script = [reply(200, b"[]")]
    with pytest.raises(peyvand.BadReply):
        await member_import.import_members(operator, [(1, b"{}")])
