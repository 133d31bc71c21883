"""Spends, holds and their ends in the plain model: a hold is a list of parts and when it is due."""

from collections import defaultdict
from datetime import datetime, timedelta, timezone

from contracts.value import CaptureHold, ReleaseHold, VoidHold
from contracts.values import Kind

from .saying import No

TEHRAN = timezone(timedelta(hours=3, minutes=30))  # since 2022; stories begin in 2026
UNITS = (
    ("NP", "points", "insufficient-points"),
    ("MP", "merchant_points", "insufficient-merchant-points"),
    ("CR", "credit_rial", "insufficient-credit"),
    ("GV", "gift_rial", "insufficient-gift"),
)


def held(m, number, *, booked=False):
    """What of a lot is held: as it reads now, or as the book still has it."""
    return sum(
        amount
        for hold in m.holds.values()
        if not hold["end"] and (booked or hold["due"] > m.now)
        for lot, amount in hold["parts"]
        if lot == number
    )


def book_due(m, account, kept_now):
    """An accepted command of the account books its holds that are due, before all else."""
    for hold in m.holds.values():
        if not hold["end"] and hold["account"] == account and hold["due"] <= kept_now:
            hold["end"], hold["by"] = "due", m.sequence
            m.lapse([lot for lot, _ in hold["parts"]])
            m.seen["due booked"] += 1


def new_sale(account, merchant, acceptor, lines):
    return {
        "account": account, "kind": Kind.REDEMPTION, "merchant": merchant, "acceptor": acceptor,
        "grants": [], "spent": [], "own": 0, "own_undone": 0, "gap": 0, "gap_undone": 0,
        "lines": lines, "back": defaultdict(int), "reversed": False, "verdict": "", "due": None,
        "full": False,
    }  # fmt: skip


def find(m, account, acceptor, spent):
    """[(lot, amount)] that a spend takes, unit after unit."""
    takes = []
    for unit, field, lack in UNITS:
        wanted = getattr(spent, field, 0)
        if not wanted:
            continue
        free = m.free(account, unit, acceptor if unit == "MP" else None)
        if sum(m.room(lot) for lot in free) < wanted:
            raise No(lack)
        for lot in free:
            amount = min(wanted, m.room(lot))
            wanted -= amount
            if amount:
                takes.append((lot, amount))
    if not takes:
        raise No("nothing-to-redeem")
    m.seen["spend spans units"] += len({lot["unit"] for lot, _ in takes}) > 1
    return takes


def need_acceptor(acceptor, spent):
    if not acceptor and (spent.merchant_points or getattr(spent, "worth_rial", 0)):
        raise No("no-acceptor")


def spend(m, envelope, body):
    spent = body.spend
    need_acceptor(body.acceptor, spent)
    m.repay(body.account)
    sale = new_sale(body.account, body.merchant, body.acceptor, {0: spent.worth_rial})
    takes = find(m, body.account, body.acceptor, spent)
    m.burn(
        sale, takes, spent.worth_rial, (0, spent.own_max_rial, spent.network_max_rial), spent.fee_bp
    )
    m.sales[body.name] = sale
    activity(m, body.account, envelope)
    return "completed", ""


def place(m, body):
    if body.due_at <= m.now:
        raise No("due-too-early")
    if body.due_at - m.now > timedelta(days=30):
        raise No("due-too-late")
    need_acceptor(body.acceptor, body)
    m.repay(body.account)
    takes = find(m, body.account, body.acceptor, body)
    m.holds[m.sequence] = {
        "name": body.name, "account": body.account, "due": body.due_at, "end": "", "by": 0,
        "parts": [(lot["number"], amount) for lot, amount in takes],
        "merchant": body.merchant, "acceptor": body.acceptor,
    }  # fmt: skip
    m.hold_names[body.name] = m.sequence
    return "completed", ""


def end(m, envelope, body):
    match body:
        case ReleaseHold():
            return fall_due(m, body)
        case CaptureHold() | VoidHold():
            hold = standing(m, body)
            if isinstance(body, VoidHold):
                hold["end"], hold["by"] = "voided", m.sequence
                m.lapse([lot for lot, _ in hold["parts"]])
                m.repay(hold["account"])
                return "completed", ""
            return capture(m, envelope, body, hold)


def standing(m, body):
    known = m.names.get(body.original)
    if known is None or known[2] == "reversed-before-arrival":
        raise No("unknown-original")
    if not known[5]:
        raise No("not-a-hold")
    if body.original not in m.hold_names:
        raise No("original-not-completed")
    hold = m.holds[m.hold_names[body.original]]
    if hold["end"] in ("captured", "voided"):
        raise No(f"hold-{hold['end']}")
    if hold["due"] <= m.now:
        raise No("hold-due")
    return hold


def capture(m, envelope, body, hold):
    m.quarter.check_open(hold["acceptor"])
    need_acceptor(hold["acceptor"], body.spend)
    m.repay(hold["account"])
    takes, over = [], False
    for unit, field, _ in UNITS:
        left = getattr(body.spend, field)
        for number, amount in hold["parts"]:
            lot = m.lots[number]
            part = min(left, amount) if lot["unit"] == unit else 0
            left -= part
            if part:
                takes.append((lot, part))
        over = over or left > 0
    if over:
        raise No("capture-too-large")
    if not takes:
        raise No("nothing-to-redeem")
    for lot, _ in takes:
        m.seen["capture past the date"] += bool(lot["until"] and lot["until"] <= m.now)
    parts = [lot for lot, _ in hold["parts"]]
    m.lapse(parts)
    hold["end"], hold["by"] = "captured", m.sequence
    account, spent = hold["account"], body.spend
    sale = new_sale(account, hold["merchant"], hold["acceptor"], {0: spent.worth_rial})
    m.burn(
        sale, takes, spent.worth_rial, (0, spent.own_max_rial, spent.network_max_rial), spent.fee_bp
    )
    m.lapse(parts)
    m.sales[body.name] = sale
    m.repay(account)
    activity(m, account, envelope)
    return "completed", ""


def fall_due(m, body):
    hold = m.holds.get(body.hold)
    if hold is None or hold["account"] != body.account:
        return "completed", "nothing-left"
    if hold["end"]:
        now = hold["end"] == "due" and hold["by"] == m.sequence
        return "completed", "" if now else "nothing-left"
    if hold["due"] > m.now:
        raise No("hold-not-due")
    return "completed", ""


def activity(m, account, envelope):
    """Sliding lots that are open and in date live on from this day."""
    for lot in m.lots.values():
        if lot["account"] != account or not lot["slides"] or not lot["left"]:
            continue
        if lot["by"] == m.sequence or lot["until"] is None or lot["until"] <= m.now:
            continue
        days = [min(envelope.occurred_at, m.now), lot["born"], lot["from"] or lot["born"]]
        day = max(days).astimezone(TEHRAN).date() + timedelta(days=lot["slides"] + 1)
        until = datetime(day.year, day.month, day.day, tzinfo=TEHRAN)
        m.seen["renewed"] += until > lot["until"]
        lot["until"] = max(lot["until"], until)
