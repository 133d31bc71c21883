"""A plain ledger of lists and dictionaries, one shard, to compare the real one with.

Written apart from ledger.posting.decide: it keeps running totals where the ledger works with steps.
"""

from collections import defaultdict

from contracts.ledger import (
    AdvanceClock,
    CancelPending,
    ExpireLot,
    IssueValue,
    PostTransaction,
    RefuseTransaction,
    ReleasePending,
    RevokeIssue,
)
from contracts.value import (
    AdjustValue,
    CaptureHold,
    ExtendLot,
    HoldValue,
    ReissueCard,
    ReleaseHold,
    SendValue,
    SpendValue,
    VoidHold,
)
from contracts.values import Kind

from . import ageing, holding, purse
from . import undoing as undo
from .model_registry import ModelRegistry
from .saying import NETWORK, No

# what later commands find the account of by its name
TELL_THEIR_ACCOUNT = (
    PostTransaction, RefuseTransaction, IssueValue, SpendValue, HoldValue, SendValue, ReissueCard,
)  # fmt: skip


class Model:
    """One shard. names: name -> what became of it. lots by number. accounts: key -> balance.

    holds by sequence: whose, its parts, when due, how it ended (also by which sequence).
    """

    def __init__(self):
        self.sequence = 0
        self.now = None
        self.names = {}
        self.sales = {}
        self.lots = {}
        self.accounts = defaultdict(int)
        self.holds = {}
        self.hold_names = {}
        self.history = []  # (sequence, account, amount)
        self.quarter = ModelRegistry()
        self.seen = defaultdict(int)

    # ------------------------------------------------------------------------------------- names

    def hear(self, envelope):
        """(verdict, status, code) of one command."""
        body = envelope.data
        if body.name in self.names:
            fingerprint, status, code, *_ = self.names[body.name]
            if fingerprint is None or envelope.fingerprint in (None, fingerprint):
                self.seen["repeat"] += 1
                return "repeated", status, code
            self.seen["conflict"] += 1
            return "conflicting", None, None
        if getattr(body, "replayed", False):
            self.seen["unknown replay"] += 1
            return "unknown-replay", None, None
        self.sequence += 1
        self.now = max(self.now or envelope.accepted_at, envelope.accepted_at)
        kept = ({k: dict(v) for k, v in self.lots.items()}, self.accounts.copy())
        holds = {k: dict(v) for k, v in self.holds.items()}
        owner = self.owner(body)
        holding.book_due(self, owner, self.now)
        try:
            was = self.quarter.standing.get(("account", owner))
            status, code = self.post(envelope, body)
            if status == "completed":
                self.quarter.pass_on(self, body, owner, was)
        except No as no:
            status, code = "declined", str(no)
            self.quarter.after_no(body, code)
        if status not in ("completed", "held"):
            self.lots, self.accounts = kept
            self.holds = holds
            self.history = [line for line in self.history if line[0] < self.sequence]
        kind = getattr(body, "kind", None)
        if isinstance(body, SpendValue | CaptureHold):
            kind = Kind.REDEMPTION
        if not isinstance(body, CaptureHold) or status == "declined":
            owner = body.account if isinstance(body, TELL_THEIR_ACCOUNT) else 0
        known = (envelope.fingerprint, status, code, kind, owner, isinstance(body, HoldValue))
        self.names[body.name] = known
        self.seen[f"{envelope.type[:-3]} {status} {code}".strip()] += 1
        return "posted", status, code

    def owner(self, body):
        """The account that a command is about: its own, or that of what it names."""
        if getattr(body, "shown", 0):
            return 0  # somebody of another shard: nobody here
        if account := getattr(body, "account", 0):
            return account
        known = self.names.get(getattr(body, "original", ""))
        names_an_account = (PostTransaction, CaptureHold, VoidHold, ReleasePending, CancelPending)
        return known[4] if known and isinstance(body, names_an_account) else 0

    def post(self, envelope, body):
        self.quarter.gate(self, body)
        found = self.quarter.post(self, envelope, body)
        if found is not None:
            return found
        match body:
            case PostTransaction():
                return self.transaction(envelope, body)
            case RefuseTransaction():
                return "refused", body.reason.code
            case IssueValue():
                return ageing.issue(self, envelope, body)
            case RevokeIssue():
                return ageing.take_back(self, body)
            case ReleasePending() | CancelPending():
                return self.verdict(body)
            case ExpireLot():
                return ageing.expire(self, body)
            case AdvanceClock():
                return "completed", ""
            case _:
                return self.beyond(envelope, body)

    def beyond(self, envelope, body):
        """What happens away from the road."""
        match body:
            case SpendValue():
                return holding.spend(self, envelope, body)
            case HoldValue():
                return holding.place(self, body)
            case CaptureHold() | VoidHold() | ReleaseHold():
                return holding.end(self, envelope, body)
            case ExtendLot():
                return ageing.extend(self, body)
            case AdjustValue():
                return ageing.adjust(self, envelope, body)

    def transaction(self, envelope, body):
        if body.decline:
            raise No(body.decline[0].code)
        if body.kind is Kind.REFUND:
            return undo.refund(self, body)
        if body.kind is Kind.REVERSAL:
            return undo.reversal(self, body)
        return self.sale(envelope, body)

    # -------------------------------------------------------------------------------------- value

    def move(self, owner, role, unit, amount, other=0):
        self.accounts[owner, role, unit, other] += amount
        self.history.append((self.sequence, (owner, role, unit, other), amount))

    def value(self, account, unit, issuer, amount):
        """A member's value; merchants' own points are kept apart by issuer."""
        self.move(account, "value", unit, amount, issuer if unit == "MP" else 0)

    def room(self, lot):
        """What of a lot no hold has."""
        return lot["left"] - holding.held(self, lot["number"])

    def free(self, account, unit, issuer=None):
        """Lots that may be used now, in order of use."""
        found = []
        for number, lot in self.lots.items():
            if lot["account"] != account or lot["unit"] != unit or not self.room(lot):
                continue
            if issuer is not None and lot["issuer"] != issuer:
                continue
            if lot["from"] is None or lot["from"] > self.now:
                continue
            if lot["until"] and lot["until"] <= self.now:
                continue
            found.append((lot["until"] is None, lot["until"] or self.now, lot["born"], number))
        return [self.lots[number] for _, _, _, number in sorted(found)]

    def past(self, lot):
        """Whether its date has come, swept or not."""
        return bool(lot["until"] and lot["until"] <= self.now)

    def live(self, account):
        """Lots of an account that have anything, but for what only the sweep has yet to book."""
        lots = [lot for lot in self.lots.values() if lot["account"] == account and lot["left"]]
        return [x for x in lots if not self.past(x) or self.room(x) < x["left"]]

    def lapse(self, numbers):
        """What nothing holds of lots past their date, is breakage."""
        for number in numbers:
            lot = self.lots[number]
            amount = self.room(lot)
            if not amount or not self.past(lot):
                continue
            lot["lapsed"] += amount
            lot["gone"] = self.sequence
            self.value(lot["account"], lot["unit"], lot["issuer"], -amount)
            self.move(lot["issuer"], "expired", lot["unit"], amount)
            self.draw(lot, amount)
            self.seen["expired by the way"] += 1

    def draw(self, lot, amount):
        cost = lot["cost"] * amount // lot["left"] if amount else 0
        lot["left"] -= amount
        lot["cost"] -= cost
        return cost

    def repay(self, account):
        for (owner, role, unit, issuer), balance in list(self.accounts.items()):
            if owner != account or role != "debt":
                continue
            owed = -balance
            for lot in self.free(account, unit, issuer):
                amount = min(owed, self.room(lot))
                self.draw(lot, amount)
                self.value(account, unit, issuer, -amount)
                self.move(account, "debt", unit, amount, issuer)
                owed -= amount
                self.seen["debt repaid"] += amount > 0

    def grant(self, award, account, line, envelope, cost, due=None):
        start = (
            getattr(award, "available_from", None) or self.now
        )  # a past one stays as it was said
        start = max(start, due or start)
        slides = getattr(award, "sliding_days", 0)
        kin = (
            award.unit, award.issuer, award.funder, getattr(award, "rule", ""),
            getattr(award, "rule_version", 0), start, award.expires_at, slides,
        )  # fmt: skip
        for lot in self.lots.values():
            if lot["by"] == self.sequence and lot["kin"] == kin:
                lot["left"] += award.amount
                lot["cost"] += cost
                break
        else:
            number = self.sequence * 4096 + sum(
                lot["by"] == self.sequence for lot in self.lots.values()
            )
            lot = {
                "number": number, "account": account, "unit": award.unit, "issuer": award.issuer,
                "left": award.amount, "cost": cost, "from": start, "until": award.expires_at,
                "born": envelope.occurred_at, "by": self.sequence, "kin": kin, "lapsed": 0,
                "slides": slides, "funder": award.funder,
            }  # fmt: skip
            self.lots[number] = lot
        self.move(award.issuer, "issued", award.unit, -award.amount)
        self.value(account, award.unit, award.issuer, award.amount)
        self.fund(award.issuer, award.funder, cost)
        return {
            "line": line, "unit": award.unit, "points": award.amount, "cost": cost,
            "issuer": award.issuer, "funder": award.funder, "lot": lot["number"],
            "own_date": getattr(award, "available_from", None) or self.now,
            "points_undone": 0, "cost_undone": 0, "budget": getattr(award, "budget", None),
        }  # fmt: skip

    def fund(self, issuer, funder, cost):
        if issuer != funder:
            self.move(funder, "payable", "IRR", -cost, issuer)
            self.move(issuer, "receivable", "IRR", cost, funder)

    # -------------------------------------------------------------------------------------- sales

    def sale(self, envelope, body):
        if len({line.line for line in body.lines}) < len(body.lines):
            raise No("line-twice")
        lines = {line.line: line.amount_rial for line in body.lines} or {0: body.amount_rial}
        sale = holding.new_sale(body.account, body.merchant, body.acceptor, lines)
        self.repay(body.account)
        if body.redemption:
            self.spend(sale, body)
        awards = purse.funded(self.quarter, self, body.awards, body.account)
        for award in awards:
            sale["grants"].append(
                self.grant(award, body.account, award.line, envelope, award.cost_rial,
                           body.review_due_at)
            )  # fmt: skip
        self.repay(body.account)
        holding.activity(self, body.account, envelope)
        self.sales[body.name] = sale
        if awards and body.review_due_at:
            sale["due"] = body.review_due_at
            return "held", ""
        return "completed", ""

    def spend(self, sale, body):
        terms = body.redemption
        discount = terms.points_value_rial + terms.credit_rial + terms.own_discount_rial
        discount += terms.gift_rial
        if discount > body.amount_rial:
            raise No("more-than-the-basket")
        takes = holding.find(self, body.account, body.acceptor, terms)
        limits = (terms.own_discount_rial, terms.own_discount_max_rial, terms.network_max_rial)
        self.burn(sale, takes, discount, limits, terms.fee_bp)

    def burn(self, sale, takes, discount, limits, fee_bp):
        """Take [(lot, amount)] and settle. limits: own discount, its most, the network's most."""
        for lot, amount in takes:
            cost = self.draw(lot, amount)
            row = {"lot": lot["number"], "unit": lot["unit"], "points": amount, "cost": cost}
            row |= {"issuer": lot["issuer"], "undone": defaultdict(int)}
            sale["spent"].append(row)
        self.seen["burn spans lots"] += len(sale["spent"]) > 1
        rows = sale["spent"]
        cost = sum(row["cost"] for row in rows)
        claim = min(cost, discount)
        said, most, dearer = limits
        gap = discount - claim
        sale["gap"] = sorted((0, gap - said, dearer))[1]  # the network's, as far as prices rose
        own = sale["own"] = gap - sale["gap"]
        self.seen["the network makes up"] += sale["gap"] > 0
        slack = min(max(0, own - said), 2 * len(rows))
        if said > most or own - slack > most:
            raise No("own-discount-too-large")
        self.spread(rows, "claim", claim, [row["cost"] for row in rows])
        crossing = [row["issuer"] != sale["acceptor"] for row in rows]
        fee = sum(r["claim"] for r, c in zip(rows, crossing, strict=True) if c)
        fee = fee * fee_bp // 10_000
        self.spread(rows, "fee", fee, [r["cost"] * c for r, c in zip(rows, crossing, strict=True)])
        for row in rows:
            row["released"] = row["cost"] - row["claim"]
            self.mirror(sale, row, {k: row[k] for k in ("points", "claim", "fee", "released")}, 1)
        self.own(sale, own)
        self.fund(sale["acceptor"], NETWORK, sale["gap"])

    def spread(self, rows, what, total, weights):
        """Largest remainder, the slow way: one Rial at a time to the row furthest behind."""
        whole = sum(weights)
        for row, weight in zip(rows, weights, strict=True):
            row[what] = total * weight // whole if whole else 0
        places = sorted(
            range(len(rows)), key=lambda i: (-((total * weights[i]) % whole) if whole else 0, i)
        )
        for place in places[: total - sum(row[what] for row in rows)]:
            rows[place][what] += 1

    def mirror(self, sale, row, part, sign):
        account, acceptor, issuer = sale["account"], sale["acceptor"], row["issuer"]
        self.value(account, row["unit"], issuer, -sign * part["points"])
        self.move(issuer, "redeemed", row["unit"], sign * part["points"])
        if issuer != acceptor:
            self.move(issuer, "payable", "IRR", -sign * part["claim"], acceptor)
            self.move(acceptor, "receivable", "IRR", sign * part["claim"], issuer)
        self.move(issuer, "points-cost", "IRR", -sign * part["released"])
        self.move(issuer, "cost-released", "IRR", sign * part["released"])
        self.move(acceptor, "payable", "IRR", -sign * part["fee"], NETWORK)
        self.move(NETWORK, "fee", "IRR", sign * part["fee"], acceptor)

    def own(self, sale, rial):
        self.move(sale["acceptor"], "own-discount", "IRR", -rial)
        self.move(sale["acceptor"], "discount-given", "IRR", rial)

    # ----------------------------------------------------------------------------- other commands

    def verdict(self, body):
        known, sale = self.names.get(body.original), self.sales.get(body.original)
        if known is None or known[2] == "reversed-before-arrival":
            raise No("unknown-original")
        if sale is not None and sale.get("pending_event"):
            return ageing.event(self, body, sale)
        if known[1] != "held" or sale is None:
            raise No("nothing-pending")
        if sale["verdict"]:
            raise No("already-decided")
        if sale["due"] <= self.now:
            raise No("past-due")
        if sale["full"]:
            raise No("nothing-pending")
        if isinstance(body, CancelPending):
            return self.cancel(sale)
        for grant in sale["grants"]:
            lot = self.lots[grant["lot"]]
            dates = [g["own_date"] for g in sale["grants"] if g["lot"] == grant["lot"]]
            if lot["from"] > self.now:
                lot["from"] = max(self.now, *dates)
        sale["verdict"] = "released"
        self.repay(sale["account"])
        return "completed", ""

    def cancel(self, sale):
        self.lapse([grant["lot"] for grant in sale["grants"]])
        for grant in sale["grants"]:
            lot = self.lots[grant["lot"]]
            self.fund(grant["issuer"], grant["funder"], grant["cost_undone"] - grant["cost"])
            purse.refill(self.quarter, self, grant, grant["cost"] - grant["cost_undone"])
            undo.take_from(self, sale["account"], grant, lot, lot["left"])
        sale["verdict"] = "cancelled"
        return "completed", ""
