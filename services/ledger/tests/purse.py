"""Money of the plain model's house: budgets by slice, windows and what is paid for them.

q: the ModelRegistry, m: the Model of the shard.
"""

from .saying import NETWORK, No

# ------------------------------------------------------------------------------------- budgets


def fund_issue(q, m, body):
    if body.account and body.unit == "GV" and body.account not in q.cards:
        raise No("card-not-active")
    if body.account and not pay(q, m, body):
        raise No("budget-exhausted")


def pay(q, m, award):
    if award.budget is None:
        return True
    if m.accounts[award.funder, "budget", "IRR", award.budget] < award.cost_rial:
        return False
    m.move(award.funder, "budget", "IRR", -award.cost_rial, award.budget)
    m.move(award.funder, "budget-spent", "IRR", award.cost_rial, award.budget)
    return True


def funded(q, m, awards, account):
    """Those awards of a basket that take effect."""
    kept = []
    for award in awards:
        odd = award.unit == "IRR" or not award.issuer or not award.funder
        loads = award.unit == "GV" and account not in q.cards
        parties = {q.standing.get(("party", p)) for p in (award.issuer, award.funder)}
        if parties & {"frozen", "closed"}:
            m.seen["award of a frozen or closed party"] += 1
        elif odd:
            m.seen["award of nobody, or of Rial"] += 1
        elif loads:
            m.seen["gift value for no card"] += 1
        elif pay(q, m, award):
            kept.append(award)
            m.seen["award from a budget"] += award.budget is not None
        else:
            m.seen["award without budget"] += 1
    return kept


def refill(q, m, grant, cost):
    if grant.get("budget") is not None:
        m.move(grant["funder"], "budget", "IRR", cost, grant["budget"])
        m.move(grant["funder"], "budget-spent", "IRR", -cost, grant["budget"])
        m.seen["budget given back"] += cost > 0


def grant(q, m, body):
    m.move(body.party, "budget-granted", "IRR", -body.amount_rial, body.campaign)
    m.move(body.party, "budget", "IRR", body.amount_rial, body.campaign)


def send_budget(q, m, body):
    if body.to_shard == q.shard:
        raise No("same-shard")
    idle = m.accounts[body.party, "budget", "IRR", body.campaign]
    rial = body.amount_rial or idle
    if not rial:
        return "nothing-left"
    if rial > idle:
        raise No("budget-exhausted")
    m.move(body.party, "budget", "IRR", -rial, body.campaign)
    m.move(NETWORK, "transit", "IRR", rial, body.party)
    name = f"r.{q.shard}.{m.sequence}"
    q.says.append((body.to_shard, name, (body.party, body.campaign, rial)))
    return ""


def receive_budget(q, m, body):
    m.move(body.party, "budget", "IRR", body.amount_rial, body.campaign)
    m.move(NETWORK, "transit", "IRR", -body.amount_rial, body.party)


# ------------------------------------------------------------------------------------- windows


def close(q, m, body):
    if body.window != len(q.cuts) + 1:
        raise No("not-the-next-window")
    q.cuts.append(m.sequence)


def owed(q, m, debtor, creditor, window):
    """At the cut, by every entry until then; less what was paid after it."""
    cut, key = q.cuts[window - 1], (debtor, "payable", "IRR", creditor)
    then = -sum(amount for at, account, amount in m.history if account == key and at <= cut)
    return then - sum(p[4] for p in q.payments if p[2:4] == key[::3] and p[0] > cut)


def settle(q, m, body):
    if body.window > len(q.cuts):
        raise No("window-not-closed")
    debtor, creditor, window = body.debtor, body.creditor, body.window
    own = max(0, owed(q, m, debtor, creditor, window))
    back = max(0, -owed(q, m, creditor, debtor, window)) if debtor != creditor else 0
    if body.amount_rial > own + back:
        raise No("more-than-owed")
    first = min(own, body.amount_rial)
    parts = [(debtor, creditor, first), (creditor, debtor, first - body.amount_rial)]
    parts = [part for part in parts if part[2]]
    for one, other, rial in parts:
        paid = [p[1] for p in q.payments if p[2:4] == (one, other)]
        last = paid[-1] if paid else 0
        if window < last:
            raise No("window-passed")
        for earlier in range(max(last, 1), window):
            if owed(q, m, one, other, earlier) * rial > 0:
                raise No("earlier-window-open")
    for one, other, rial in parts:
        m.seen["paid back"] += rial < 0
        m.move(one, "payable", "IRR", rial, other)
        fees = m.accounts[NETWORK, "fee", "IRR", one] if other == NETWORK else 0
        part = min(rial, max(0, fees)) if rial > 0 else max(rial, min(0, fees))
        m.move(NETWORK, "fee", "IRR", -part, one)
        m.move(other, "receivable", "IRR", part - rial, one)
        m.move(one, "cash", "IRR", -rial)
        m.move(other, "cash", "IRR", rial)
    q.payments += [(m.sequence, window, one, other, rial) for one, other, rial in parts]
