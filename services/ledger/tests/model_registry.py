"""The plain model's house: standings, cards, rates, budgets, what is in transit, windows.

Written apart from ledger.posting.decide: what is owed is added up from the first entry on, what a
party has outstanding from its lots.
"""

from datetime import timedelta

from contracts.ledger import ExpireLot, IssueValue, PostTransaction, RefuseTransaction
from contracts.value import (
    ActivateCard,
    AdjustValue,
    CaptureHold,
    CloseWindow,
    ExchangeValue,
    GrantBudget,
    HoldValue,
    InstallTerms,
    ReceiveBudget,
    ReceiveValue,
    ReissueCard,
    ReturnValue,
    SendBudget,
    SendValue,
    SetStanding,
    SettlePosition,
    SpendValue,
    TopUpWallet,
)
from contracts.values import Kind

from . import purse
from .saying import NETWORK, No

LACK = {
    "NP": "insufficient-points", "MP": "insufficient-merchant-points", "CR": "insufficient-credit",
    "GV": "insufficient-gift",
}  # fmt: skip


def leaves(body):
    """Whether value would leave a frozen account."""
    if isinstance(body, PostTransaction):
        return body.redemption is not None
    if isinstance(body, IssueValue):
        return body.unit == "GV"
    return isinstance(
        body, SpendValue | HoldValue | CaptureHold | SendValue | ExchangeValue | ActivateCard
    )


def parties(body):
    """(who would come to owe more, who else is named) of a command."""
    match body:
        case IssueValue():
            return (body.issuer, body.funder), ()
        case ActivateCard() | ExchangeValue():
            return (body.issuer,), ()
        case TopUpWallet():
            return (body.custodian,), ()
        case AdjustValue() if not body.take:
            return (body.issuer, body.funder), ()
        case GrantBudget() | SendBudget():
            return (), (body.party,)
        case PostTransaction(kind=Kind.REFUND | Kind.REVERSAL):
            return (), ()
    return (), (getattr(body, "acceptor", 0),)


class ModelRegistry:
    """One shard's. says: what the ledger says next, as (shard, name, facts)."""

    def __init__(self):
        self.shard = 0
        self.standing = {}
        self.rates = {}
        self.cards = {}
        self.cuts = []
        self.payments = []  # (sequence, window, debtor, creditor, signed Rial)
        self.sent = {}
        self.successors = {}
        self.says = []

    # ---------------------------------------------------------------------------------- standings

    def gate(self, m, body):
        """Raises No where a standing forbids the command."""
        never = RefuseTransaction | ReturnValue | ReceiveBudget | SetStanding | ExpireLot
        if isinstance(body, never):
            return
        if getattr(body, "decline", ()):
            return
        standing = self.standing.get(("account", m.owner(body)))
        if standing == "closed" and not self.comes_back(m, body):
            raise No("account-closed")
        if standing == "frozen" and leaves(body):
            raise No("account-frozen")
        makers, others = parties(body)
        self.check_parties(*makers)
        self.check_open(*others)

    def check_open(self, *parties):
        if any(self.standing.get(("party", party)) == "closed" for party in parties):
            raise No("party-closed")

    def comes_back(self, m, body):
        """What is undone on a closed account, or goes on to the card that took its place."""
        if isinstance(body, ReceiveValue):
            return m.owner(body) in self.successors and body.forwarded < 16
        undone = isinstance(body, PostTransaction) and body.kind in (Kind.REFUND, Kind.REVERSAL)
        return undone

    def pass_on(self, m, body, owner, was):
        """After a yes to a closed account."""
        if was != "closed":
            return
        to, full = self.successors.get(owner), m.live(owner)
        if isinstance(body, ReturnValue) and self.sent[body.original]["onward"]:
            to = None
        if to and full:
            m.seen["value went on to a card's successor"] += 1
            full.sort(key=lambda lot: lot["number"])
            self.ship(m, body.name, owner, to, [(lot, lot["left"]) for lot in full])
            self.sent[body.name]["onward"] = True
        owes = [v for (o, role, *_), v in m.accounts.items() if (o, role) == (owner, "debt")]
        if any(owes) or m.live(owner):
            self.standing["account", owner] = "frozen"
            m.seen["a closed account opened again"] += 1

    def check_parties(self, *parties):
        found = {self.standing.get(("party", party)) for party in parties}
        for standing in ("closed", "frozen"):
            if standing in found:
                raise No(f"party-{standing}")

    def stand(self, m, body):
        who = ("account", body.account) if body.account else ("party", body.party)
        if not who[1]:
            raise No("no-account")
        now = self.standing.get(who, "open")
        if now == body.standing:
            return "standing-unchanged"
        if now == "closed":
            raise No(f"{who[0]}-closed")
        if body.standing == "closed":
            self.check_empty(m, *who)
        self.standing[who] = body.standing
        return ""

    def check_empty(self, m, kind, number):
        lots = [lot for lot in m.lots.values() if lot["left"] and lot["issuer"] == number]
        if m.live(number) if kind == "account" else lots:
            raise No(f"{kind}-not-empty")
        owing = ("debt",) if kind == "account" else ("payable", "receivable", "fee")
        for (its, role, *_), amount in m.accounts.items():
            if its == number and role in owing and amount:
                raise No(f"{kind}-owes")

    # ----------------------------------------------------------------------------------- dispatch

    def post(self, m, envelope, body):
        """(status, code) of a command of its own kinds; None of all others."""
        takers = {
            SendValue: self.send, ReceiveValue: self.receive, ReturnValue: self.bring_back,
            ExchangeValue: self.exchange, ActivateCard: self.activate, ReissueCard: self.reissue,
            TopUpWallet: self.top_up, InstallTerms: self.install, SetStanding: self.stand,
        }  # fmt: skip
        payers = {
            GrantBudget: purse.grant, SendBudget: purse.send_budget, CloseWindow: purse.close,
            ReceiveBudget: purse.receive_budget, SettlePosition: purse.settle,
        }  # fmt: skip
        if type(body) in payers:
            return "completed", payers[type(body)](self, m, body) or ""
        taker = takers.get(type(body))
        if taker is None:
            return None
        self.occurred_at = envelope.occurred_at
        return "completed", taker(m, body) or ""

    def after_no(self, body, code):
        """What was sent and refused goes back."""
        if isinstance(body, ReceiveValue):
            name = f"b.{body.from_shard}.{body.from_sequence}"
            self.says.append((body.from_shard, name, (body.from_account, body.sent_by, code)))

    # ---------------------------------------------------------------------------------- transfers

    def pick(self, m, body):
        """[(lot, amount)] that a spend of body takes."""
        m.repay(body.account)
        issuer = body.issuer if body.unit == "MP" else None
        free, wanted, found = m.free(body.account, body.unit, issuer), body.amount, []
        if sum(m.room(lot) for lot in free) < wanted:
            raise No(LACK[body.unit])
        for lot in free:
            amount = min(wanted, m.room(lot))
            if amount:
                found.append((lot, amount))
            wanted -= amount
        return found

    def send(self, m, body):
        if not body.account or not body.to_account:
            raise No("no-account")
        if body.to_account == body.account and body.to_shard == self.shard:
            raise No("same-account")
        if body.unit not in LACK:
            raise No("not-value")
        to = (body.to_shard, body.to_account)
        self.ship(m, body.name, body.account, to, self.pick(m, body))

    def ship(self, m, sent_by, account, to, picked):
        parcels = []
        for lot, amount in picked:
            cost = m.draw(lot, amount)
            m.value(account, lot["unit"], lot["issuer"], -amount)
            m.move(NETWORK, "transit", lot["unit"], amount, lot["issuer"])
            parcels.append((lot["number"], lot["unit"], amount, cost, lot["issuer"]))
        self.sent[sent_by] = {
            "account": account, "parcels": parcels, "back": False, "onward": False,
        }  # fmt: skip
        self.says.append((to[0], f"r.{self.shard}.{m.sequence}", (to[1], parcels)))

    def receive(self, m, body):
        if not body.account:
            raise No("no-account")
        if any(p.unit == "GV" for p in body.parcels) and body.account not in self.cards:
            raise No("card-not-active")
        m.repay(body.account)
        for ordinal, parcel in enumerate(body.parcels):
            self.child(m, body.account, ordinal, {
                "unit": parcel.unit, "issuer": parcel.issuer, "left": parcel.amount,
                "cost": parcel.cost_rial, "from": parcel.available_from,
                "until": parcel.expires_at, "born": parcel.born_at,
                "slides": parcel.sliding_days, "funder": parcel.funder, "graced": parcel.graced,
            })  # fmt: skip
            m.value(body.account, parcel.unit, parcel.issuer, parcel.amount)
            m.move(NETWORK, "transit", parcel.unit, -parcel.amount, parcel.issuer)
        m.repay(body.account)

    def child(self, m, account, ordinal, facts):
        number = m.sequence * 4096 + ordinal
        m.lots[number] = {
            "number": number, "account": account, "by": m.sequence, "kin": None, "lapsed": 0,
            "slides": 0, **facts,
        }  # fmt: skip

    def bring_back(self, m, body):
        sent = self.sent.get(body.original)
        if sent is None or not sent["parcels"] or sent["account"] != body.account:
            raise No("unknown-original")
        if sent["back"]:
            raise No("already-returned")
        m.repay(body.account)
        children = 0
        for number, unit, amount, cost, issuer in sent["parcels"]:
            lot = m.lots[number]
            if lot["until"] and lot["until"] <= m.now:
                m.seen["a returned lot was past its date"] += 1
                late = {**lot, "left": 0, "cost": 0, "from": m.now, "graced": True}
                if not lot.get("graced"):
                    late["until"] = m.now + timedelta(days=30)
                kept = (
                    "unit", "issuer", "left", "cost", "from", "until", "born", "funder", "graced",
                )  # fmt: skip
                facts = {k: late[k] for k in kept} | {"in_place_of": number}
                self.child(m, body.account, children, facts)
                lot = m.lots[m.sequence * 4096 + children]
                children += 1
            lot["left"] += amount
            lot["cost"] += cost
            m.value(body.account, unit, issuer, amount)
            m.move(NETWORK, "transit", unit, -amount, issuer)
        m.repay(body.account)
        sent["back"] = True

    # ------------------------------------------------------------------- exchange, cards, wallet

    def exchange(self, m, body):
        if not body.account:
            raise No("no-account")
        if body.unit not in ("NP", "MP") or not body.issuer:
            raise No("not-value")
        rate = self.rates.get(("rate", body.rate, body.version))
        if rate is None:
            raise No("unknown-rate")
        up, down, accepted = rate
        if NETWORK not in accepted or body.issuer not in accepted:
            raise No("rate-not-accepted")
        if body.unit == "NP":
            up, down = down, up
        if (up, down) != (body.numerator, body.denominator):
            raise No("rate-differs")
        if body.receives != body.amount * up // down:
            raise No("rate-gives-otherwise")
        cost, crossed = 0, 0
        for lot, amount in self.pick(m, body):
            part = m.draw(lot, amount)
            cost += part
            m.value(body.account, body.unit, lot["issuer"], -amount)
            m.move(NETWORK, "exchange", body.unit, amount, lot["issuer"])
            if body.unit == "NP" and lot["issuer"] != body.issuer:
                crossed += part
                m.fund(body.issuer, lot["issuer"], part)
        fee = crossed * body.fee_bp // 10_000
        m.move(body.issuer, "payable", "IRR", -fee, NETWORK)
        m.move(NETWORK, "fee", "IRR", fee, body.issuer)
        other = "MP" if body.unit == "NP" else "NP"
        self.child(m, body.account, 0, {
            "unit": other, "issuer": body.issuer, "left": body.receives,
            "cost": cost if body.unit == "NP" else body.cost_rial, "from": m.now,
            "until": body.expires_at, "born": self.occurred_at, "funder": body.issuer,
        })  # fmt: skip
        m.value(body.account, other, body.issuer, body.receives)
        m.move(NETWORK, "exchange", other, -body.receives, body.issuer)
        m.repay(body.account)

    def install(self, m, body):
        accepted = set(body.accepted_by)
        if body.kind == "rate" and (NETWORK not in accepted or accepted == {NETWORK}):
            raise No("rate-not-accepted")
        key, numbers = (body.kind, body.id, body.version), (body.numerator, body.denominator)
        if key in self.rates and self.rates[key] != (*numbers, accepted):
            raise No("version-differs")
        if key in self.rates:
            return "already-installed"
        self.rates[key] = (*numbers, accepted)
        return ""

    def activate(self, m, body):
        if not body.account:
            raise No("no-account")
        if body.account in self.cards:
            raise No("card-already-active")
        if m.live(body.account) or any(
            v for (o, role, *_), v in m.accounts.items() if (o, role) == (body.account, "debt")
        ):
            raise No("account-in-use")
        self.cards[body.account] = body.issuer
        if body.amount_rial:
            self.open(m, body.account, "GV", body.amount_rial, body.issuer, body.expires_at)

    def open(self, m, account, unit, amount, issuer, until):
        self.child(m, account, 0, {
            "unit": unit, "issuer": issuer, "left": amount, "cost": amount, "from": m.now,
            "until": until, "born": self.occurred_at, "funder": issuer,
        })  # fmt: skip
        m.move(issuer, "issued", unit, -amount)
        m.value(account, unit, issuer, amount)

    def reissue(self, m, body):
        if body.account not in self.cards:
            raise No("card-not-active")
        if body.to_account == body.account and body.to_shard == self.shard:
            raise No("same-account")
        lots = m.live(body.account)
        if any(m.room(lot) < lot["left"] for lot in lots):
            raise No("value-held")
        if any(lot["from"] is None for lot in lots):
            raise No("value-awaits")
        if any(v for (o, role, *_), v in m.accounts.items() if (o, role) == (body.account, "debt")):
            raise No("account-owes")
        if lots:
            lots.sort(key=lambda lot: lot["number"])
            to = (body.to_shard, body.to_account)
            self.ship(m, body.name, body.account, to, [(lot, lot["left"]) for lot in lots])
            self.sent[body.name]["onward"] = True
        self.successors[body.account] = (body.to_shard, body.to_account)
        self.standing["account", body.account] = "closed"

    def top_up(self, m, body):
        if not body.account:
            raise No("no-account")
        m.repay(body.account)
        self.open(m, body.account, "CR", body.amount_rial, body.custodian, None)
        m.move(body.custodian, "wallet", "IRR", -body.amount_rial)
        m.move(body.custodian, "cash", "IRR", body.amount_rial)
        m.repay(body.account)
