"""Issues on an event, extensions and corrections by hand in the plain model."""

from contracts.ledger import CancelPending

from . import purse
from . import undoing as undo
from .saying import No


def issue(m, envelope, body):
    purse.fund_issue(m.quarter, m, body)
    m.repay(body.account)
    grant = m.grant(body, body.account, 0, envelope, body.cost_rial)
    if body.pending_event:
        m.lots[grant["lot"]]["from"] = None
    m.sales[body.name] = {
        "account": body.account, "kind": None, "issue": True, "grants": [grant],
        "pending_event": body.pending_event, "verdict": "",
    }  # fmt: skip
    m.repay(body.account)
    return "completed", ""


def take_unspent(m, account, grant, lot, amount):
    """Take so much of a lot with its issue and its funding."""
    cost = lot["cost"] * amount // lot["left"]
    undo.take_from(m, account, grant, lot, amount)
    m.fund(grant["issuer"], grant["funder"], -cost)
    purse.refill(m.quarter, m, grant, cost)


def event(m, body, sale):
    """The event that an issue awaits came, or never will."""
    if sale["verdict"]:
        raise No("already-decided")
    grant = sale["grants"][0]
    lot = m.lots[grant["lot"]]
    if not lot["left"] or (lot["until"] and lot["until"] <= m.now):
        raise No("nothing-pending")
    m.seen["event"] += 1
    if isinstance(body, CancelPending):
        sale["verdict"] = "cancelled"
        take_unspent(m, sale["account"], grant, lot, lot["left"])
    else:
        sale["verdict"] = "released"
        lot["from"] = max(m.now, grant["own_date"])
        m.repay(sale["account"])
    return "completed", ""


def extend(m, body):
    lot = m.lots.get(body.lot)
    if lot is None or lot["account"] != body.account:
        raise No("unknown-lot")
    if lot["until"] and lot["until"] <= m.now:
        raise No("lot-past-date")
    if lot["until"] is None or (body.expires_at and body.expires_at <= lot["until"]):
        raise No("not-later")
    lot["until"] = body.expires_at
    return "completed", ""


def adjust(m, envelope, body):
    if body.proposed_by == body.approved_by:
        raise No("same-person")
    if body.unit == "GV" and not body.take and body.account not in m.quarter.cards:
        raise No("card-not-active")
    m.repay(body.account)
    if not body.take:
        m.grant(body, body.account, 0, envelope, body.cost_rial)
        m.repay(body.account)
        return "completed", ""
    wanted = body.amount
    free = m.free(body.account, body.unit, body.issuer)
    if sum(m.room(lot) for lot in free) < wanted:
        raise No("insufficient-value")
    for lot in free:
        amount = min(wanted, m.room(lot))
        wanted -= amount
        if amount:
            kin = {"unit": lot["unit"], "issuer": lot["issuer"], "funder": lot["funder"]}
            take_unspent(m, body.account, kin, lot, amount)
    return "completed", ""


def take_back(m, body):
    sale = m.sales.get(body.issued_by)
    if sale is None or not sale.get("issue"):
        raise No("unknown-original")
    if sale["account"] != body.account:
        raise No("another-account")
    grant = sale["grants"][0]
    m.repay(body.account)
    lots = [m.lots[grant["lot"]]]
    lots += [x for _, x in sorted(m.lots.items()) if x.get("in_place_of") == grant["lot"]]
    m.lapse([lot["number"] for lot in lots])
    m.seen["taken back of a grace lot"] += any(m.room(lot) for lot in lots[1:])
    lots = [lot for lot in lots if m.room(lot)]
    for lot in lots:
        take_unspent(m, body.account, grant, lot, m.room(lot))
    return "completed", "" if lots else "nothing-left"


def expire(m, body):
    lot = m.lots.get(body.lot)
    if lot is None or lot["account"] != body.account:
        raise No("unknown-lot")
    m.seen["expiry beside a hold"] += m.past(lot) and m.room(lot) < lot["left"]
    m.lapse([body.lot])
    if lot.get("gone") == m.sequence:
        return "completed", ""
    if not lot["left"]:
        return "completed", "nothing-left"
    if not m.past(lot):
        raise No("not-due")
    return "completed", "lot-held"
