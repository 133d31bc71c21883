"""Every call of the operator's client, with the method and path that it is documented to use."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import peyvand
from peyvand import administration

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


def put_endpoint(operator: peyvand.Operator) -> Awaitable[object]:
    url, events = "https://shop.example/hook", ("transaction.completed",)
    return operator.put_endpoint(5, "e-1", url=url, events=events)


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
    ("PUT /v1/terminals/9/activation-codes/c-1", lambda o: o.put_activation_code(9, "c-1")),
    ("GET /v1/terminals/9/activation-codes/c-1", lambda o: o.activation_code(9, "c-1")),
    (
        "DELETE /v1/terminals/9/activation-codes/c-1",
        lambda o: o.withdraw_activation_code(9, "c-1"),
    ),
    ("POST /v1/activations", lambda o: o.redeem_activation_code("4512", "d-1")),
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
    ("PUT /v1/accounts/7/adjustments/u-1", lambda o: o.put_adjustment(7, "u-1", {"amount": 1})),
    ("GET /v1/accounts/7/adjustments/u-1", lambda o: o.adjustment(7, "u-1")),
    ("GET /v1/accounts/7/adjustments", lambda o: o.adjustments(7, 3)),
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
    ("PUT /v1/windows/2/settlement", lambda o: o.settlement_preview(2)),
    ("PUT /v1/windows/2/settlement", lambda o: o.put_settlement(2)),
    ("PUT /v1/windows/2/settlement/approval", lambda o: o.approve_settlement(2)),
    ("PUT /v1/windows/2/settlement/withdrawal", lambda o: o.withdraw_settlement(2)),
    ("PUT /v1/windows/2/settlement/exclusions/5", lambda o: o.exclude_from_settlement(2, 5)),
    ("PUT /v1/windows/2/settlement/reinstruction", lambda o: o.reinstruct(2)),
    ("GET /v1/windows/2/settlement", lambda o: o.settlement(2)),
    ("GET /v1/settlements", lambda o: o.settlements(9)),
    ("GET /v1/ageing", lambda o: o.ageing(9, late=True)),
    ("GET /v1/windows/2/settlement/files/1/pain001", lambda o: o.payment_file(2, 1)),
    ("GET /v1/windows/2/settlement/files/1/csv", lambda o: o.payment_file(2, 1, "csv")),
    (
        "PUT /v1/windows/2/settlement/answers/a-1",
        lambda o: o.put_bank_answer(2, "a-1", content="x"),
    ),
    (
        "PUT /v1/parties/5/sheba-changes/c-1",
        lambda o: o.put_sheba_change(5, "c-1", sheba="IR", reason="x"),
    ),
    (
        "PUT /v1/parties/5/sheba-changes/c-1/approval",
        lambda o: o.approve_sheba_change(5, "c-1"),
    ),
    ("GET /v1/parties/5/sheba-changes/c-1", lambda o: o.sheba_change(5, "c-1")),
    (
        "PUT /v1/parties/5/disputes/d-1",
        lambda o: o.put_dispute(
            5, "d-1", window=2, counterparty=6, amount_rial=7, reason="other", text="x"
        ),
    ),
    ("GET /v1/parties/5/disputes/d-1", lambda o: o.dispute("d-1", 5)),
    ("GET /v1/parties/5/disputes", lambda o: o.party_disputes(5)),
    (
        "PUT /v1/parties/5/disputes/d-1/answer",
        lambda o: o.answer_dispute(5, "d-1", accepted_rial=0),
    ),
    ("PUT /v1/parties/5/disputes/d-1/escalation", lambda o: o.escalate_dispute(5, "d-1")),
    ("PUT /v1/parties/5/disputes/d-1/withdrawal", lambda o: o.withdraw_dispute(5, "d-1")),
    ("PUT /v1/disputes/d-1/decision", lambda o: o.decide_dispute("d-1", upheld_rial=7)),
    ("GET /v1/disputes/d-1", lambda o: o.dispute("d-1")),
    ("GET /v1/disputes", lambda o: o.disputes(party=5, state="escalated")),
    ("PUT /v1/evidence/5/d-1/f-1", lambda o: o.put_evidence(5, "d-1", "f-1", b"%PDF-1.7")),
    ("GET /v1/evidence/5/d-1/f-1", lambda o: o.evidence(5, "d-1", "f-1")),
    ("GET /v1/windows/2/statements/5/csv", lambda o: o.party_statement_csv(2, 5)),
    ("GET /v1/windows/2/statements/5/pdf", lambda o: o.party_statement_pdf(2, 5)),
    (
        "GET /v1/windows/2/statements/5/transactions",
        lambda o: o.party_transactions(2, 5, side="due", counterparty=6),
    ),
    ("GET /v1/merchants/5/statements/2", lambda o: o.merchant_statement(5, 2)),
    ("GET /v1/merchants/5/statements/2/csv", lambda o: o.merchant_statement_csv(5, 2)),
    ("GET /v1/merchants/5/statements/2/pdf", lambda o: o.merchant_statement_pdf(5, 2)),
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
    ("PUT /v1/merchants/5/webhook-endpoints/e-1", lambda o: put_endpoint(o)),
    (
        "PUT /v1/merchants/5/webhook-endpoints/e-1/secrets/s-1",
        lambda o: o.put_endpoint_secret(5, "e-1", "s-1", overlap_s=60),
    ),
    ("GET /v1/merchants/5/webhook-endpoints", lambda o: o.endpoints(5)),
    ("GET /v1/merchants/5/webhook-endpoints/e-1", lambda o: o.endpoint(5, "e-1")),
    (
        "GET /v1/merchants/5/webhook-endpoints/e-1/deliveries",
        lambda o: o.deliveries(5, "e-1", state="failed"),
    ),
    (
        "PUT /v1/merchants/5/webhook-endpoints/e-1/tests/t-1",
        lambda o: o.put_endpoint_test(5, "e-1", "t-1"),
    ),
    (
        "POST /v1/merchants/5/webhook-endpoints/e-1/replays",
        lambda o: o.replay_message(5, "e-1", "m-1"),
    ),
    (
        "POST /v1/merchants/5/webhook-endpoints/e-1/replays",
        lambda o: o.replay_period(5, "e-1", since=AT, until=AT),
    ),
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
    ("GET /v1/proposals", lambda o: o.proposals()),
    ("GET /v1/proposals/p-1", lambda o: o.proposal("p-1")),
    ("PUT /v1/proposals/p-1/approval", lambda o: o.approve_proposal("p-1")),
    ("PUT /v1/proposals/p-1/rejection", lambda o: o.reject_proposal("p-1", reason="no")),
    ("PUT /v1/proposals/p-1/withdrawal", lambda o: o.withdraw_proposal("p-1")),
    ("PUT /v1/password", lambda o: o.change_password("four words", "five other words")),
]
