"""Passes 2 to 6 over one leaf: do its own rows add up, each on what stood before it?

Takes the rows as they are and moves the state by them, right or wrong: so one wrong row is one
finding, and the next leaf is judged on its own.
"""

from typing import Any

from verifier.findings import Findings
from verifier.leaves import Leaf
from verifier.state import LOTS_PER_SEQUENCE, Account, Key, State

Row = tuple[Any, ...]

GIVES = frozenset({"restored", "returned"})  # rows that fill a lot; all others take from it
_NO_FLOOR_ABOVE = "debt"
_FLOORED = frozenset({"value", "budget"})


def post(state: State, leaf: Leaf, findings: Findings) -> None:
    """Move the state by a leaf's rows, noting what does not add up."""
    rows = leaf.rows
    if "accounts" in rows:
        _open_accounts(state, leaf, findings)
    if "entries" in rows:
        _enter(state, leaf, findings)
    if "lots" in rows:
        _open_lots(state, leaf, findings)
    if "consumptions" in rows:
        _consume(state, leaf, findings)
    if "dates" in rows:
        _date(state, leaf, findings)
    if "entries" in rows or "lots" in rows or "consumptions" in rows:
        _check_sums(state, leaf, findings)


def _open_accounts(state: State, leaf: Leaf, findings: Findings) -> None:
    sequence = leaf.head[1]
    first = {row[1] for row in leaf.rows.get("entries", ()) if row[2] == 1}
    for number, owner, other, role, unit in leaf.rows["accounts"]:
        key: Key = (owner, state.one(role), state.one(unit), other)
        wanted = len(state.accounts) + 1
        where = {"table": "leaves", "sequence": sequence, "row": f"account {number}"}
        if number != wanted:
            findings.add(
                "accounts",
                f"sequence {sequence} opens account {number}; the next number is {wanted}",
                **where,
            )
            continue
        if number not in first:
            findings.add(
                "accounts",
                f"sequence {sequence} opens account {number} without its first entry",
                **where,
            )
        if key in state.by_key:
            twin = state.by_key[key].number
            findings.add(
                "accounts",
                f"sequence {sequence} opens account {number} for {_words(key)}, which is account"
                f" {twin}",
                **where,
            )
        account = Account(number, key)
        state.accounts.append(account)
        state.by_key[key] = account
        if role == "debt":
            state.purse(owner).debts[unit, other] = account


def _enter(state: State, leaf: Leaf, findings: Findings) -> None:
    sequence = leaf.head[1]
    sums: dict[str, int] = {}
    accounts, count = state.accounts, len(state.accounts)
    for place, row in enumerate(leaf.rows["entries"]):
        line, number, ordinal, amount, balance = row
        if line != place or not 0 < number <= count:
            _bad_entry(findings, sequence, row, place, count)
            if line == place:
                continue
        account = accounts[number - 1]
        account.count += 1
        account.balance += amount
        unit = account.key[2]
        sums[unit] = sums.get(unit, 0) + amount
        if ordinal != account.count or balance != account.balance or not amount:
            _wrong_entry(findings, sequence, row, account)
        if account.balance < 0 and account.key[1] in _FLOORED:
            _below(findings, sequence, account)
        elif account.balance > 0 and account.key[1] == _NO_FLOOR_ABOVE:
            _below(findings, sequence, account)
    for unit, total in sums.items():
        if total:
            findings.add(
                "sums",
                f"the entries of sequence {sequence} in {unit} sum to {total}, should be 0",
                table="entries",
                sequence=sequence,
                column="amount",
            )


def _bad_entry(findings: Findings, sequence: int, row: Row, place: int, count: int) -> None:
    if row[0] != place:
        findings.wrong(
            "entries", table="entries", sequence=sequence, row=f"entry number {place}",
            column="line", found=row[0], wanted=place,
        )  # fmt: skip
    if not 0 < row[1] <= count:
        findings.add(
            "entries",
            f"sequence {sequence}, line {row[0]} is on account {row[1]}; {count} accounts exist",
            table="entries",
            sequence=sequence,
            row=f"line {row[0]}",
            column="account_id",
        )


def _wrong_entry(findings: Findings, sequence: int, row: Row, account: Account) -> None:
    """Says what is wrong, and goes on from what the row says."""
    line, number, ordinal, amount, balance = row
    where = f"line {line} on account {number}"
    for column, found, wanted in (
        ("account_sequence", ordinal, account.count),
        ("balance", balance, account.balance),
    ):
        if found != wanted:
            findings.wrong(
                "entries", table="entries", sequence=sequence, row=where, column=column,
                found=found, wanted=wanted,
            )  # fmt: skip
    if not amount:
        findings.add(
            "entries", f"sequence {sequence}, {where}: an entry of zero", table="entries",
            sequence=sequence, row=where, column="amount",
        )  # fmt: skip


def _below(findings: Findings, sequence: int, account: Account) -> None:
    side = "above" if account.balance > 0 else "below"
    findings.add(
        "accounts",
        f"sequence {sequence} leaves account {account.number} ({_words(account.key)}) {side} zero:"
        f" {account.balance}",
        table="accounts",
        sequence=sequence,
        row=f"account {account.number}",
        column="balance",
    )


def _open_lots(state: State, leaf: Leaf, findings: Findings) -> None:
    sequence = leaf.head[1]
    for place, row in enumerate(leaf.rows["lots"]):
        wanted = sequence * LOTS_PER_SEQUENCE + place
        if row[0] != wanted:
            findings.wrong(
                "lots", table="lots", sequence=sequence, row=f"lot number {place} of the leaf",
                column="lot", found=row[0], wanted=wanted,
            )  # fmt: skip
        lot = state.lot_of(row)
        if lot is None:
            findings.add(
                "lots",
                f"lot {row[0]} of sequence {sequence} is on account {row[1]}, which does not exist",
                table="lots",
                sequence=sequence,
                row=f"lot {row[0]}",
                column="account_id",
            )
            continue
        if lot.account.key[1] != "value" or row[12] != lot.unit:
            findings.add(
                "lots",
                f"lot {row[0]} of {row[12]} lies on account {row[1]}: {_words(lot.account.key)}",
                table="lots",
                sequence=sequence,
                row=f"lot {row[0]}",
                column="account_id",
            )
        if row[7] is None or lot.origin != "child":  # a child is filled by its restored row
            lot.left, lot.cost = row[2], row[3]
            lot.account.lots += lot.left
        state.keep(lot)


def _consume(state: State, leaf: Leaf, findings: Findings) -> None:
    sequence = leaf.head[1]
    for place, row in enumerate(leaf.rows["consumptions"]):
        if row[0] != place:
            findings.wrong(
                "lots", table="consumptions", sequence=sequence, row=f"row number {place}",
                column="ordinal", found=row[0], wanted=place,
            )  # fmt: skip
        number, amount, cost, what = row[1], row[2], row[3], row[11]
        lot = state.lots.get(number)
        if lot is None:
            if amount or cost:
                findings.add(
                    "lots",
                    f"sequence {sequence}, ordinal {row[0]}: {what} of lot {number}, which "
                    + ("does not exist" if number >= (sequence + 1) * 4096 else "is used up"),
                    table="consumptions",
                    sequence=sequence,
                    row=f"ordinal {row[0]}",
                    column="lot",
                )
            continue
        if what in GIVES:
            lot.left += amount
            lot.cost += cost
            lot.account.lots += amount
        else:
            lot.left -= amount
            lot.cost -= cost
            lot.account.lots -= amount
            if what == "expired":
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
                "lots",
                f"consumptions, sequence {sequence}, {where}: {-left} more {column} than it held",
                table="consumptions",
                sequence=sequence,
                row=where,
                column=column,
            )
    if 0 <= lot.left < lot.held:
        findings.add(
            "holds",
            f"consumptions, sequence {sequence}, {where}: {lot.left} remain of {lot.held} held",
            table="consumptions",
            sequence=sequence,
            row=where,
            column="amount",
        )
    if row[8] != lot.issuer:
        findings.wrong(
            "lots", table="consumptions", sequence=sequence, row=where, column="issuer",
            found=row[8], wanted=lot.issuer,
        )  # fmt: skip


def _date(state: State, leaf: Leaf, findings: Findings) -> None:
    sequence, last = leaf.head[1], -1
    for number, start, until in leaf.rows["dates"]:
        lot = state.lots.get(number)
        if lot is None or number <= last:
            findings.add(
                "lots",
                f"sequence {sequence} dates lot {number}, which is not open or out of order",
                table="leaves",
                sequence=sequence,
                row=f"lot {number}",
            )
            continue
        last, lot.start, lot.until = number, start, until


def _check_sums(state: State, leaf: Leaf, findings: Findings) -> None:
    """The lots of each account that was touched make up its balance."""
    for _, number, *_ in leaf.rows.get("entries", ()):
        account = state.account(number)
        if account is not None and account.balance != account.lots and account.key[1] == "value":
            findings.add(
                "lots",
                f"after sequence {leaf.head[1]} the lots of account {number}"
                f" ({_words(account.key)}) hold {account.lots}, its balance is {account.balance}",
                table="lots",
                sequence=leaf.head[1],
                row=f"account {number}",
                column="remaining",
            )
            account.lots = account.balance


def _words(key: Key) -> str:
    owner, role, unit, other = key
    towards = f" towards {other}" if other else ""
    return f"{role} of {owner} in {unit}{towards}"
