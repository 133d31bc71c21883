"""Passes 2 to 6 over one leaf: whether its rows add up, each on the state before it.

The state moves by the rows as they are, right or wrong. So one wrong row is one finding, and the
next leaf is checked on its own.
"""

from typing import Any

from verifier import holding
from verifier.findings import Findings, Spot
from verifier.leaves import Leaf
from verifier.state import LOTS_PER_SEQUENCE, UNITS, WAITING, Account, Key, State

Row = tuple[Any, ...]
_LINES = list(range(1 << 16))  # more entries than a line number can count

GIVES = frozenset({"restored", "arrived"})  # rows that fill a lot; all others take from it

FILLED = frozenset(
    {"child", "received", "received-in-grace"}
)  # lots that a row of their leaf fills


def post(state: State, leaf: Leaf, findings: Findings) -> None:
    """Move the state by a leaf's rows, and note what does not add up."""
    rows = leaf.rows
    if "accounts" in rows:
        _open_accounts(state, leaf, findings)
    touched: list[Account] = []
    if "entries" in rows:
        touched = _enter(state, leaf, findings)
    if "lots" in rows:
        _open_lots(state, leaf, findings)
    if "holds" in rows:
        holding.hold(state, leaf, findings)
    if "consumptions" in rows:
        _consume(state, leaf, findings)
    if "dates" in rows:
        _date(state, leaf, findings)
    if "holds" in rows:
        holding.check(state, leaf, findings)
    for account in touched:
        if account.balance != account.lots:
            _unequal(account, leaf, findings)


def _open_accounts(state: State, leaf: Leaf, findings: Findings) -> None:
    first = {row[1] for row in leaf.rows.get("entries", ()) if row[2] == 1}
    intern, accounts, by_key = state.intern, state.accounts, state.by_key
    for number, owner, counterparty, role, unit in leaf.rows["accounts"]:
        key: Key = (owner, intern(role), intern(unit), counterparty)
        expected = len(accounts) + 1
        if number != expected or number not in first or key in by_key:
            _bad_account(state, leaf, key, (number, expected, number in first), findings)
            if number != expected:
                continue
        account = Account(number, key)
        accounts.append(account)
        by_key[key] = account
        if role == "debt":
            state.purse(owner).debts[unit, counterparty] = account


def _bad_account(
    state: State, leaf: Leaf, key: Key, recorded: tuple[int, int, bool], findings: Findings
) -> None:
    number, expected, entered = recorded
    sequence = leaf.head[1]
    spot = Spot("accounts", "leaves", sequence, f"account {number}")
    says = f"sequence {sequence} opens account {number}"
    if number != expected:
        findings.add(spot, f"{says}; the next number is {expected}")
        return
    if not entered:
        findings.add(spot, f"{says} without its first entry")
    if key in state.by_key:
        twin = state.by_key[key].number
        findings.add(spot, f"{says} for {_words(key)}, which is account {twin}")


def _enter(state: State, leaf: Leaf, findings: Findings) -> list[Account]:
    """Post the entries. Gives the value accounts among those that were touched."""
    touched: list[Account] = []
    accounts, entries = state.accounts, leaf.rows["entries"]
    sums = [0] * (len(UNITS) + 1)
    count = len(accounts)
    number: int
    if [row[0] for row in entries] != _LINES[: len(entries)]:
        _bad_lines(findings, leaf.head[1], entries)
    for row in entries:
        _, number, ordinal, amount, balance = row
        if not 0 < number <= count:
            _no_account(findings, leaf.head[1], row, count)
            continue
        account = accounts[number - 1]
        account.count += 1
        account.balance += amount
        sums[account.unit] += amount
        if ordinal != account.count or balance != account.balance or not amount:
            _wrong_entry(findings, leaf.head[1], row, account)
        if account.floor:
            if account.is_value:
                touched.append(account)
            if account.balance * account.floor < 0:
                _beyond(findings, leaf.head[1], account)
    if any(sums):
        _off_zero(findings, leaf.head[1], sums)
    return touched


def _off_zero(findings: Findings, sequence: int, sums: list[int]) -> None:
    for unit, total in zip((*UNITS, "units nobody knows"), sums, strict=True):
        if total:
            findings.add(
                Spot("sums", "entries", sequence),
                f"the entries of sequence {sequence} in {unit} sum to {total}, should be 0",
                column="amount",
            )


def _bad_lines(findings: Findings, sequence: int, entries: list[Row]) -> None:
    for place, row in enumerate(entries):
        if row[0] != place:
            spot = Spot("entries", "entries", sequence, f"entry number {place}")
            findings.wrong(spot, "line", row[0], place)


def _no_account(findings: Findings, sequence: int, row: Row, count: int) -> None:
    findings.add(
        Spot("entries", "entries", sequence, row=f"line {row[0]}"),
        f"sequence {sequence}, line {row[0]} is on account {row[1]}; {count} accounts exist",
        column="account_id",
    )


def _wrong_entry(findings: Findings, sequence: int, row: Row, account: Account) -> None:
    """Note what is wrong, and go on with the row's own values."""
    line, number, ordinal, amount, balance = row
    where = f"line {line} on account {number}"
    for column, recorded, expected in (
        ("account_sequence", ordinal, account.count),
        ("balance", balance, account.balance),
    ):
        if recorded != expected:
            findings.wrong(
                Spot("entries", "entries", sequence, row=where), column, recorded, expected
            )
    if not amount:
        findings.add(
            Spot("entries", "entries", sequence, row=where),
            f"sequence {sequence}, {where}: an entry of zero",
            column="amount",
        )


def _beyond(findings: Findings, sequence: int, account: Account) -> None:
    """Note value or a budget below zero, or a debt above zero."""
    side = "above" if account.balance > 0 else "below"
    findings.add(
        Spot("accounts", "accounts", sequence, row=f"account {account.number}"),
        f"sequence {sequence} leaves account {account.number} ({_words(account.key)}) {side} zero:"
        f" {account.balance}",
        column="balance",
    )


def _open_lots(state: State, leaf: Leaf, findings: Findings) -> None:
    sequence = leaf.head[1]
    for place, row in enumerate(leaf.rows["lots"]):
        expected = sequence * LOTS_PER_SEQUENCE + place
        if row[0] != expected:
            findings.wrong(
                Spot("lots", "lots", sequence, row=f"lot number {place} of the leaf"),
                "lot",
                row[0],
                expected,
            )
        lot = state.lot_of(row)
        if lot is None:
            findings.add(
                Spot("lots", "lots", sequence, row=f"lot {row[0]}"),
                f"lot {row[0]} of sequence {sequence} is on account {row[1]}, which does not exist",
                column="account_id",
            )
            continue
        if lot.account.key[1] != "value" or row[12] != lot.unit:
            findings.add(
                Spot("lots", "lots", sequence, row=f"lot {row[0]}"),
                f"lot {row[0]} of {row[12]} lies on account {row[1]}: {_words(lot.account.key)}",
                column="account_id",
            )
        if lot.origin not in FILLED:
            lot.left, lot.cost = row[2], row[3]
            lot.account.lots += lot.left
        state.keep(lot)


def _consume(state: State, leaf: Leaf, findings: Findings) -> None:
    sequence = leaf.head[1]
    for place, row in enumerate(leaf.rows["consumptions"]):
        if row[0] != place:
            findings.wrong(
                Spot("lots", "consumptions", sequence, row=f"row number {place}"),
                "ordinal",
                row[0],
                place,
            )
        number, amount, cost, movement = row[1], row[2], row[3], row[11]
        lot = state.lots.get(number)
        if lot is None:
            if amount or cost:
                findings.add(
                    Spot("lots", "consumptions", sequence, row=f"ordinal {row[0]}"),
                    f"sequence {sequence}, ordinal {row[0]}: {movement} of lot {number}, which "
                    + ("does not exist" if number >= (sequence + 1) * 4096 else "is used up"),
                    column="lot",
                )
            continue
        if movement in GIVES:
            lot.left += amount
            lot.cost += cost
            lot.account.lots += amount
        else:
            lot.left -= amount
            lot.cost -= cost
            lot.account.lots -= amount
            if movement == "expired":
                lot.lapsed += amount
            if not lot.left:
                state.emptied.add(number)
        if lot.left < 0 or lot.cost < 0 or lot.left < lot.held or row[8] != lot.issuer:
            _wrong_consumption(findings, sequence, row, lot)


def _wrong_consumption(findings: Findings, sequence: int, row: Row, lot: Any) -> None:
    where = f"ordinal {row[0]}, {row[11]} of lot {lot.number}"
    for column, left in (("amount", lot.left), ("cost_rial", lot.cost)):
        if left < 0:
            findings.add(
                Spot("lots", "consumptions", sequence, row=where),
                f"consumptions, sequence {sequence}, {where}: {-left} more {column} than it held",
                column=column,
            )
    if 0 <= lot.left < lot.held:
        findings.add(
            Spot("holds", "consumptions", sequence, row=where),
            f"consumptions, sequence {sequence}, {where}: {lot.left} remain of {lot.held} held",
            column="amount",
        )
    if row[8] != lot.issuer:
        findings.wrong(
            Spot("lots", "consumptions", sequence, row=where), "issuer", row[8], lot.issuer
        )


def _date(state: State, leaf: Leaf, findings: Findings) -> None:
    sequence, last = leaf.head[1], -1
    for number, start, until in leaf.rows["dates"]:
        lot = state.lots.get(number)
        if lot is None or number <= last:
            findings.add(
                Spot("lots", "leaves", sequence, row=f"lot {number}"),
                f"sequence {sequence} dates lot {number}, which is not open or out of order",
            )
            continue
        last, lot.start, lot.until = number, WAITING if start is None else start, until


def _unequal(account: Account, leaf: Leaf, findings: Findings) -> None:
    """Note touched accounts whose lots do not sum to their balance."""
    findings.add(
        Spot("lots", "lots", leaf.head[1], row=f"account {account.number}"),
        f"after sequence {leaf.head[1]} the lots of account {account.number}"
        f" ({_words(account.key)}) hold {account.lots}, its balance is {account.balance}",
        column="remaining",
    )
    account.lots = account.balance


def _words(key: Key) -> str:
    owner, role, unit, counterparty = key
    towards = f" towards {counterparty}" if counterparty else ""
    return f"{role} of {owner} in {unit}{towards}"
