"""The last chapter: all windows are settled through a simulated bank, and tied to their entries."""

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from cluster import connections, plan
from contracts.iran import sheba_check_digits
from contracts.values import NETWORK_PARTY
from lab.observe import driver
from peyvand import Conflict, Operator
from peyvand.operators import every

FILE: Final = Path("payouts.xml")
_HEADINGS: Final = "reference,status,amount_rial,reason\n"
_REJECTED: Final = "AC04"  # closed account, as ISO 20022 has it
_UNSETTLED: Final = """
select count(*) from clearing_entries e
where e.window_number <= $1 and e.debtor <> e.creditor and e.claim_rial + e.fee_rial <> 0
  and not exists (select from settlement_pairs s
    where s.debtor = least(e.debtor, e.creditor) and s.creditor = greatest(e.debtor, e.creditor)
      and s.window_number >= e.window_number)
"""


@dataclass(frozen=True, slots=True)
class Settler:
    """Two people of the network, and where the bank's file goes."""

    cluster: plan.Cluster
    operator: Operator
    treasurer: Operator
    console: Console
    folder: Path

    async def settle(self) -> dict[str, Any]:
        """Close the open window, pay all that is unpaid, and give the report's figures of it."""
        window = await self._close()
        proposed = (await self.operator.put_settlement(window))["settlement"]
        await self.treasurer.approve_settlement(window)
        await self._answer(window, await self._live(window, "collection"))
        await self._pay(window)
        await driver.until_none(lambda: self._pending(window))
        done = await self.operator.settlement(window)
        await self._show(window, done)
        return await self._figures(window, proposed, done)

    async def _close(self) -> int:
        """The number of the window that was open, closed now."""
        window: int = (await self.operator.windows()).items[0]["window"]

        async def closing() -> int:
            try:
                return int((await self.operator.cut_window(window))["state"] != "closed")
            except Conflict:  # the window before is still closing
                return 1

        await driver.until_none(closing)
        return window

    async def _pay(self, window: int) -> None:
        """The bank refuses one payout; its party's account is corrected, and it is paid."""
        file = await self.operator.payment_file(window, 1)
        (self.folder / FILE).write_bytes(file)
        refused, *others = await self._live(window, "payout")
        await self._answer(window, others, f"{refused['reference']},rejected,,{_REJECTED}\n")
        change = str(uuid.uuid4())
        account = sheba_of(refused["party"], branch=2)
        await self.operator.put_sheba_change(
            refused["party"], change, sheba=account, reason="نامهٔ بانک"
        )
        await self.treasurer.approve_sheba_change(refused["party"], change)
        await self.operator.reinstruct(window)
        await self._answer(window, await self._live(window, "payout"))

    async def _live(self, window: int, direction: str) -> list[dict[str, Any]]:
        report = await self.operator.settlement(window)
        return [
            one
            for one in report["instructions"]
            if (one["direction"], one["state"]) == (direction, "instructed")
        ]

    async def _answer(self, window: int, paid: list[dict[str, Any]], more: str = "") -> None:
        lines = [f"{one['reference']},paid,{one['amount_rial']},\n" for one in paid]
        content = _HEADINGS + more + "".join(lines)
        await self.operator.put_bank_answer(window, str(uuid.uuid4()), content=content)

    async def _pending(self, window: int) -> int:
        return int((await self.operator.settlement(window))["bookings_pending"])

    async def _figures(
        self, window: int, proposed: dict[str, Any], done: dict[str, Any]
    ) -> dict[str, Any]:
        closed = [one async for one in every(self.operator.windows) if one["state"] == "closed"]
        payouts = [one for one in done["instructions"] if one["direction"] == "payout"]
        paid = sum(int(one["amount_rial"]) for one in payouts if one["state"] == "paid")
        targets = {one["party"]: int(one["target_rial"]) for one in proposed["parties"]}
        return {
            "windows": len(closed),
            "claims": sum(int(one["claims_rial"]) for one in closed),
            "net_payments": sum(
                rial for party, rial in targets.items() if rial > 0 and party != NETWORK_PARTY
            ),
            "paid": paid,
            "rejected": sum(one["state"] == "rejected" for one in payouts),
            "fee_paid": max(targets.get(NETWORK_PARTY, 0), 0),
            "bookings_declined": done["bookings_declined"],
            "unsettled_entries": await self._unsettled(window),
            "differences": await self._differences([one["window"] for one in closed]),
        }

    async def _unsettled(self, window: int) -> int:
        """Entries of closed windows whose debt the ledger was not told to be paid."""
        db = await connections.connect(self.cluster.servers.dsn("merchants", "merchants_owner"))
        try:
            return await db.fetchval(_UNSETTLED, window)
        finally:
            await db.close()

    async def _differences(self, windows: list[int]) -> int:
        """What does not agree between windows, entries, positions and statements."""
        reports = [await self.operator.reconciliation(window) for window in windows]
        return sum(len(report["differences"]) for report in reports)

    async def _show(self, window: int, done: dict[str, Any]) -> None:
        """Print the net payments, and the statement of the party that is paid most."""
        table = Table(title=f"net payments of window {window}, Rial", title_justify="left")
        for column in ("party", "pays", "is paid"):
            table.add_column(column, justify="right")
        for one in done["parties"]:
            rial = int(one["target_rial"])
            table.add_row(str(one["party"]), f"{max(-rial, 0):,}", f"{max(rial, 0):,}")
        self.console.print(table)
        payee = max(done["parties"], key=lambda one: int(one["target_rial"]))["party"]
        statement = await self.operator.party_statement_csv(window, payee)
        self.console.print(f"statement of party {payee}, window {window}", style="bold")
        self.console.print(statement.lstrip("\ufeff"), highlight=False, markup=False)
        self.console.print(f"  payments for the bank (pain.001)  {self.folder / FILE}")


def sheba_of(party: int, branch: int = 1) -> str:
    """A Sheba of no bank's customer, with right check digits."""
    account = f"012{branch:03d}{party:016d}"
    return f"IR{sheba_check_digits(account)}{account}"
