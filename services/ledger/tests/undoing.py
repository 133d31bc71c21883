"""Refunds and reversals of the plain model: running totals of what was undone so far."""

from collections import defaultdict
from datetime import timedelta

from contracts.values import Kind

from . import purse
from .saying import NETWORK, No


def check(m, body):
    """The original's sale. Raises No where it cannot be undone."""
    if body.original not in m.names:
        raise No("unknown-original")
    _, status, code, kind, *_ = m.names[body.original]
    if code == "reversed-before-arrival":
        raise No("original-not-completed")
    if kind not in (Kind.PURCHASE, Kind.REDEMPTION):
        raise No("not-refundable")
    if status not in ("completed", "held"):
        raise No("original-not-completed")
    sale = m.sales[body.original]
    if (body.shown or body.account) not in (0, sale["account"]):
        raise No("another-account")
    if body.merchant != sale["merchant"]:
        raise No("another-merchant")
    if sale["reversed"]:
        raise No("already-reversed")
    if sale["full"]:
        raise No("already-refunded")
    return sale


def refund(m, body):
    sale = check(m, body)
    left = {line: rial - sale["back"][line] for line, rial in sale["lines"].items()}
    wanted = defaultdict(int)
    for part in body.refund_lines:
        if part.line not in left:
            raise No("unknown-line")
        wanted[part.line] += part.amount_rial
        if wanted[part.line] > left[part.line]:
            raise No("refund-too-large")
    if not body.refund_lines and body.amount_rial:
        left = by_amount(m, left, body.amount_rial)
    for line, rial in (wanted if body.refund_lines else left).items():
        sale["back"][line] += rial
    sale["full"] = sum(sale["back"].values()) == sum(sale["lines"].values())
    undo(m, sale, body)
    return "completed", ""


def by_amount(m, left, rial):
    """Share so much of what is left out by line, the slow way: the odd Rial to the most behind."""
    whole = sum(left.values())
    if rial > whole:
        raise No("refund-too-large")
    m.seen["refund by amount"] += rial < whole
    parts = {line: rial * amount // whole for line, amount in left.items()}
    behind = sorted(left, key=lambda line: -(rial * left[line] % whole))
    for line in behind[: rial - sum(parts.values())]:
        parts[line] += 1
    return parts


def reversal(m, body):
    known = m.names.get(body.original)
    if known is None:
        m.names[body.original] = (None, "declined", "reversed-before-arrival", None, 0, False)
        return "completed", "original-not-seen"
    if known[1] not in ("completed", "held"):
        return "completed", "nothing-to-reverse"
    sale = check(m, body)
    sale["back"] = defaultdict(int, sale["lines"])
    sale["full"] = sale["reversed"] = True
    undo(m, sale, body)
    return "completed", ""


def undo(m, sale, body):
    m.repay(sale["account"])
    m.lapse([grant["lot"] for grant in sale["grants"]])
    back, total = sum(sale["back"].values()), sum(sale["lines"].values())

    def due(whole, done):
        return (whole if sale["full"] else whole * back // total) - done

    for row in sale["spent"]:
        undone = row["undone"]
        part = {k: due(row[k], undone[k]) for k in ("points", "claim", "fee", "released")}
        for k, v in part.items():
            undone[k] += v
        cost = row["cost"] * undone["points"] // row["points"] - undone["cost"]
        undone["cost"] += cost
        m.mirror(sale, row, part, -1)
        if part["points"]:
            restore(m, row, part["points"], cost, body)
    part = due(sale["own"], sale["own_undone"])
    sale["own_undone"] += part
    m.own(sale, -part)
    part = due(sale["gap"], sale["gap_undone"])
    sale["gap_undone"] += part
    m.fund(sale["acceptor"], NETWORK, -part)
    claw_back(m, sale)
    m.repay(sale["account"])


def restore(m, row, points, cost, body):
    lot = m.lots[row["lot"]]
    if lot["until"] and lot["until"] <= m.now:
        m.seen["child of an expired lot"] += 1
        number = m.sequence * 4096 + sum(other["by"] == m.sequence for other in m.lots.values())
        until = body.grace_expires_at or m.now + timedelta(days=30)
        if lot.get("graced"):
            m.seen["a second grace refused"] += 1
            until = lot["until"]
        lot = m.lots[number] = {
            **lot, "number": number, "left": 0, "cost": 0, "from": m.now, "until": until,
            "by": m.sequence, "kin": None, "lapsed": 0, "slides": 0, "graced": True,
            "in_place_of": row["lot"],
        }  # fmt: skip
    lot["left"] += points
    lot["cost"] += cost


def claw_back(m, sale):
    if sale["verdict"] == "cancelled":
        return
    account, short = sale["account"], defaultdict(int)
    for grant in sale["grants"]:
        points = target(m, sale, grant, "points")
        cost = target(m, sale, grant, "cost")
        m.fund(grant["issuer"], grant["funder"], -cost)
        purse.refill(m.quarter, m, grant, cost)
        lot = m.lots[grant["lot"]]
        amount = min(points, m.room(lot))
        m.seen["clawback beside a hold"] += amount < min(points, lot["left"])
        take_from(m, account, grant, lot, amount)
        lapsed = min(points - amount, lot["lapsed"])
        lot["lapsed"] -= lapsed
        m.seen["expired points forgiven"] += lapsed > 0
        short[grant["unit"], grant["issuer"]] += points - amount - lapsed
    own = {grant["lot"]: None for grant in sale["grants"]}
    for (unit, issuer), owed in short.items():
        grant = {"unit": unit, "issuer": issuer}
        waiting = [m.lots[n] for n in own if m.lots[n]["from"] > m.now]
        waiting = [x for x in waiting if x["unit"] == unit and x["issuer"] == issuer]
        for lot in [*waiting, *m.free(account, unit, issuer)]:
            amount = min(owed, m.room(lot))
            take_from(m, account, grant, lot, amount)
            owed -= amount
            m.seen["clawback from another lot"] += amount > 0
        m.seen["debt"] += owed > 0
        m.move(account, "debt", unit, -owed, issuer)
        m.move(issuer, "issued", unit, owed)


def target(m, sale, grant, what):
    line, done = grant["line"], grant[f"{what}_undone"]
    lines = {line: sale["lines"][line]} if line in sale["lines"] else sale["lines"]
    whole, back = sum(lines.values()), sum(sale["back"][n] for n in lines)
    closed = grant[what] if sale["full"] else 0
    reached = grant[what] * back // whole if whole else closed
    grant[f"{what}_undone"] = reached
    return reached - done


def take_from(m, account, grant, lot, amount):
    m.draw(lot, amount)
    m.value(account, grant["unit"], grant["issuer"], -amount)
    m.move(grant["issuer"], "issued", grant["unit"], amount)
