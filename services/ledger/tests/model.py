"""A plain ledger of lists and dictionaries, one shard, to compare the real one with.

Written apart from ledger.decide: it keeps running totals where the ledger works with steps.
"""

from collections import defaultdict

from contracts.ledger import (
    CancelPending,
    ExpireLot,
    IssueValue,
    PostTransaction,
    RefuseTransaction,
    ReleasePending,
    TakeBackValue,
    TickClock,
)
from contracts.values import Kind

from . import undoing as undo
from .undoing import No

NETWORK = 1


class Model:
    """One shard. names: name -> what became of it. lots by number. accounts: key -> balance."""

    def __init__(self):
        self.sequence = 0
        self.now = None
        self.names = {}
        self.sales = {}
        self.lots = {}
        self.accounts = defaultdict(int)
        self.seen = defaultdict(int)

    # ------------------------------------------------------------------------------------- names

    def hear(self, envelope):
        """(verdict, status, code) of one command."""
        body = envelope.data
        if body.name in self.names:
            fingerprint, status, code, _ = self.names[body.name]
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
        try:
            status, code = self.post(envelope, body)
        except No as no:
            self.lots, self.accounts = kept
            status, code = "declined", str(no)
        kind = getattr(body, "kind", None)
        self.names[body.name] = (envelope.fingerprint, status, code, kind)
        self.seen[f"{envelope.type[:-3]} {status} {code}".strip()] += 1
        return "posted", status, code

    def post(self, envelope, body):
        match body:
            case PostTransaction():
                return self.transaction(envelope, body)
            case RefuseTransaction():
                return "refused", body.reason.code
            case IssueValue():
                self.repay(body.account)
                sale = {"account": body.account, "kind": None, "issue": True, "grants": []}
                sale["grants"].append(self.grant(body, body.account, 0, envelope, body.cost_rial))
                self.sales[body.name] = sale
                self.repay(body.account)
                return "completed", ""
            case TakeBackValue():
                return self.take_back(body)
            case ReleasePending() | CancelPending():
                return self.verdict(body)
            case ExpireLot():
                return self.expire(body)
            case TickClock():
                return "completed", ""

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

    def free(self, account, unit, issuer=None):
        """Lots that may be used now, in order of use."""
        found = []
        for number, lot in self.lots.items():
            if lot["account"] != account or lot["unit"] != unit or not lot["left"]:
                continue
            if issuer is not None and lot["issuer"] != issuer:
                continue
            if lot["from"] > self.now or (lot["until"] and lot["until"] <= self.now):
                continue
            found.append((lot["until"] is None, lot["until"] or self.now, lot["born"], number))
        return [self.lots[number] for _, _, _, number in sorted(found)]

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
                amount = min(owed, lot["left"])
                self.draw(lot, amount)
                self.move(account, "value", unit, -amount)
                self.move(account, "debt", unit, amount, issuer)
                owed -= amount
                self.seen["debt repaid"] += amount > 0

    def grant(self, award, account, line, envelope, cost, due=None):
        start = max(getattr(award, "available_from", None) or self.now, due or self.now)
        kin = (
            award.unit, award.issuer, award.funder, award.rule, award.rule_version, start,
            award.expires_at,
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
            }  # fmt: skip
            self.lots[number] = lot
        self.move(award.issuer, "issued", award.unit, -award.amount)
        self.move(account, "value", award.unit, award.amount)
        self.fund(award.issuer, award.funder, cost)
        return {
            "line": line, "unit": award.unit, "points": award.amount, "cost": cost,
            "issuer": award.issuer, "funder": award.funder, "lot": lot["number"],
            "own_date": getattr(award, "available_from", None) or self.now,
            "points_undone": 0, "cost_undone": 0,
        }  # fmt: skip

    def fund(self, issuer, funder, cost):
        if issuer != funder:
            self.move(funder, "payable", "IRR", -cost, issuer)
            self.move(issuer, "receivable", "IRR", cost, funder)

    # -------------------------------------------------------------------------------------- sales

    def sale(self, envelope, body):
        sale = {
            "account": body.account, "kind": body.kind, "merchant": body.merchant,
            "acceptor": body.acceptor, "grants": [], "spent": [], "own": 0, "own_undone": 0,
            "lines": {line.line: line.amount_rial for line in body.lines} or {0: body.amount_rial},
            "back": defaultdict(int), "reversed": False, "verdict": "", "due": None, "full": False,
        }  # fmt: skip
        self.repay(body.account)
        if body.redemption:
            self.spend(sale, body)
        for award in body.awards:
            sale["grants"].append(
                self.grant(award, body.account, award.line, envelope, award.cost_rial,
                           body.review_due_at)
            )  # fmt: skip
        self.repay(body.account)
        self.sales[body.name] = sale
        if body.awards and body.review_due_at:
            sale["due"] = body.review_due_at
            return "held", ""
        return "completed", ""

    def spend(self, sale, body):
        terms = body.redemption
        discount = terms.points_value_rial + terms.credit_rial + terms.own_discount_rial
        if discount > body.amount_rial:
            raise No("more-than-the-basket")
        for unit, wanted, lack in (
            ("NP", terms.points, "insufficient-points"),
            ("CR", terms.credit_rial, "insufficient-credit"),
        ):
            free = self.free(body.account, unit)
            if sum(lot["left"] for lot in free) < wanted:
                raise No(lack)
            for lot in free:
                amount = min(wanted, lot["left"])
                wanted -= amount
                if amount:
                    cost = self.draw(lot, amount)
                    row = {"lot": lot["number"], "unit": unit, "points": amount, "cost": cost}
                    row |= {"issuer": lot["issuer"], "undone": defaultdict(int)}
                    sale["spent"].append(row)
        self.seen["burn spans lots"] += len(sale["spent"]) > 1
        rows = sale["spent"]
        cost = sum(row["cost"] for row in rows)
        claim = min(cost, discount)
        own = sale["own"] = discount - claim
        slack = min(max(0, own - terms.own_discount_rial), 2 * len(rows))
        if terms.own_discount_rial > terms.own_discount_max_rial:
            raise No("own-discount-too-large")
        if own - slack > terms.own_discount_max_rial:
            raise No("own-discount-too-large")
        self.spread(rows, "claim", claim, [row["cost"] for row in rows])
        crossing = [row["issuer"] != body.acceptor for row in rows]
        fee = sum(r["claim"] for r, c in zip(rows, crossing, strict=True) if c)
        fee = fee * terms.fee_bp // 10_000
        self.spread(rows, "fee", fee, [r["cost"] * c for r, c in zip(rows, crossing, strict=True)])
        for row in rows:
            row["released"] = row["cost"] - row["claim"]
            self.mirror(sale, row, {k: row[k] for k in ("points", "claim", "fee", "released")}, 1)
        self.own(sale, own)

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
        self.move(account, "value", row["unit"], -sign * part["points"])
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

    def take_back(self, body):
        sale = self.sales.get(body.issued_by)
        if sale is None or not sale.get("issue"):
            raise No("unknown-original")
        if sale["account"] != body.account:
            raise No("another-account")
        grant = sale["grants"][0]
        lot = self.lots[grant["lot"]]
        if not lot["left"]:
            return "completed", "nothing-left"
        cost = lot["cost"]
        undo.take_from(self, body.account, grant, lot, lot["left"])
        self.fund(grant["issuer"], grant["funder"], -cost)
        return "completed", ""

    def verdict(self, body):
        known, sale = self.names.get(body.original), self.sales.get(body.original)
        if known is None or known[2] == "reversed-before-arrival":
            raise No("unknown-original")
        if known[1] != "held" or sale is None:
            raise No("nothing-pending")
        if sale["verdict"]:
            raise No("already-decided")
        if sale["due"] <= self.now:
            raise No("past-due")
        if sale["full"]:
            raise No("nothing-pending")
        if isinstance(body, CancelPending):
            for grant in sale["grants"]:
                lot = self.lots[grant["lot"]]
                self.fund(grant["issuer"], grant["funder"], grant["cost_undone"] - grant["cost"])
                undo.take_from(self, sale["account"], grant, lot, lot["left"])
            sale["verdict"] = "cancelled"
            return "completed", ""
        for grant in sale["grants"]:
            lot = self.lots[grant["lot"]]
            dates = [g["own_date"] for g in sale["grants"] if g["lot"] == grant["lot"]]
            if lot["from"] > self.now:
                lot["from"] = max(self.now, *dates)
        sale["verdict"] = "released"
        self.repay(sale["account"])
        return "completed", ""

    def expire(self, body):
        lot = self.lots.get(body.lot)
        if lot is None or lot["account"] != body.account:
            raise No("unknown-lot")
        if not lot["left"]:
            return "completed", "nothing-left"
        if lot["until"] is None or lot["until"] > self.now:
            raise No("not-due")
        lot["lapsed"] += lot["left"]
        self.move(body.account, "value", lot["unit"], -lot["left"])
        self.move(lot["issuer"], "expired", lot["unit"], lot["left"])
        lot["left"] = 0
        lot["cost"] = 0
        return "completed", ""
