"""Counting the ledger's outcomes into settlement windows, cutting windows, and reading them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from contracts.ledger import Outcome
from kit.base import errors as base_errors
from kit.base import telemetry
from kit.base.db import Tx
from kit.stream import requests
from kit.stream.requests import NOT_ANSWERED, Result
from merchants import errors
from merchants.clearing.domain import counting, positions, windows
from merchants.clearing.domain.corrections import Correction
from merchants.clearing.domain.counting import Marker, Pair, PairEntry, PairSums
from merchants.clearing.domain.positions import Position, WholeWindow, WindowSums
from merchants.clearing.domain.windows import NotNext, StillClosing, Window, WindowState
from merchants.clearing.store import corrections as correction_store
from merchants.clearing.store import counting as store
from merchants.clearing.store import windows as window_store

log = logging.getLogger(__name__)
FIRST: Final = 1
CUTS_MAX: Final = 5  # that a correction loses its window to before somebody has to look


@dataclass(frozen=True, slots=True)
class WindowReport:
    """A window with its sums, the markers that came, and the ledger's answer to what was sent."""

    window: Window
    sums: WindowSums
    markers: list[Marker]
    answer: Result


async def count_outcomes(tx: Tx, outcomes: Sequence[tuple[int, Outcome]]) -> None:
    """Count outcomes, each with its shard; what was counted before adds nothing.

    A window is closed by the last of its markers. Raises Invalid as counting.count does.
    """
    progress = await store.lock_progress(tx, {shard for shard, _ in outcomes})
    counted = counting.count(outcomes, progress)
    await store.update_progress(tx, list(counted.progress.values()))
    if counted.entries:
        await store.insert_entries(tx, counted.entries)
        await store.upsert_pairs(tx, counted.sums())
    answers = await requests.record_outcomes(tx, outcomes, commands=(windows.COMMAND,))
    for answer in answers:
        if not answer.completed:
            telemetry.count(telemetry.Metric.ALARMS, "window-marker-declined")
            log.error("shard %s declined %s: %s", answer.shard, answer.name, answer.code)
    if counted.markers:
        await store.insert_markers(tx, counted.markers)
        for window in sorted({marker.window for marker in counted.markers}):
            await _close_if_complete(tx, window)


async def _close_if_complete(tx: Tx, number: int) -> None:
    """Net a closing window whose markers have all come; its row is locked before they are read.

    So of two transactions with a marker each, the later one has both.
    """
    window = await window_store.lock_window(tx, number)
    if window is None or window.state is not WindowState.CLOSING or window.shards is None:
        return
    markers = await store.list_markers(tx, number)
    if len(markers) < window.shards:
        return
    unpaid = await window_store.list_unpaid(tx, number - 1)
    netted = positions.positions_of(await store.list_party_sums(tx, number), unpaid)
    sums = replace(
        await store.sum_pairs(tx, number),
        outcomes_count=sum(marker.outcomes_count for marker in markers),
        net_rial=positions.net_of(netted),
    )
    await window_store.insert_positions(tx, number, netted)
    closed_at = max(marker.decided_at for marker in markers)
    await window_store.update_closed(tx, number, sums, closed_at=closed_at)


# --------------------------------------------------------------------------------------- the cut


async def cut_window(tx: Tx, number: int, *, by: str, now: datetime, shards: int) -> bool:
    """Cut the open window: send its marker to every shard, once; False where it was cut before.

    The next window opens at once. A shard that was added since passes through the markers of all
    windows before: it takes them in order alone. Raises NotNext, StillClosing.
    """
    opened = await _lock_open(tx, now)
    if number < opened.window:
        return False
    await _check_next(tx, number, opened)
    await store.insert_progress(tx, range(shards))  # while this window is the open one
    await window_store.update_cut(tx, number, at=now, by=by, shards=shards)
    await window_store.insert_window(tx, number + 1, opened_at=now)
    passed = await store.list_last_markers(tx)
    await requests.send(
        tx,
        [
            (shard, windows.command(window, shard, now))
            for shard in range(shards)
            for window in range(passed.get(shard, 0) + 1, number + 1)
        ],
    )
    await _close_if_complete(tx, number)  # of a restored database, whose markers came before
    return True


async def cut_due_window(tx: Tx, *, now: datetime, cut_minute: int | None, shards: int) -> None:
    """Open the first window if there is none; cut the open one if its time of day has come.

    cut_minute: of Tehran's day; None: windows are cut by hand alone.
    """
    opened = await window_store.find_open(tx)
    if opened is None:
        await window_store.insert_window(tx, FIRST, opened_at=now)
        return
    if cut_minute is None or now < windows.next_cut(opened.opened_at, cut_minute):
        return
    try:
        await cut_window(tx, opened.window, by=windows.SCHEDULE, now=now, shards=shards)
    except StillClosing as error:
        telemetry.count(telemetry.Metric.ALARMS, "window-not-closed")
        log.error("window %s is due: %s", opened.window, error)


async def preview_cut(tx: Tx, number: int, *, now: datetime) -> WindowReport:
    """What would be closed if a window were cut now. Raises NotNext, StillClosing."""
    opened = await _lock_open(tx, now)
    if number >= opened.window:
        await _check_next(tx, number, opened)
    return await get_window(tx, number)


async def _lock_open(tx: Tx, now: datetime) -> Window:
    """The open window; the first row is the lock on their sequence, since the open one changes."""
    await window_store.insert_window(tx, FIRST, opened_at=now)
    await window_store.lock_window(tx, FIRST)
    opened = await window_store.find_open(tx)
    if opened is None:
        raise RuntimeError("no settlement window is open")
    return opened


async def _check_next(tx: Tx, number: int, opened: Window) -> None:
    if number > opened.window:
        raise NotNext(
            f"the open window is {opened.window}; windows are cut in order", expected=opened.window
        )
    before = await window_store.find_window(tx, number - 1)
    if before is not None and before[0].state is not WindowState.CLOSED:
        raise StillClosing(f"window {number - 1} is not closed on every shard; send it again soon")


# ------------------------------------------------------------------------------------- corrections


async def lock_line(tx: Tx, number: int, pair: Pair) -> PairSums:
    """A pair's sums in a closed window; whoever else locks that line waits for this transaction.

    Zeros where the window has no such pair. Raises Unknown, NotClosed.
    """
    await get_closed(tx, number)
    await store.lock_pair(tx, number, pair)
    return await store.sum_pair(tx, number, pair)


async def list_foreign(
    tx: Tx, number: int, pair: Pair, transactions: Sequence[tuple[int, str]]
) -> list[tuple[int, str]]:
    """Those of (shard, name) that are not behind a pair of a window."""
    behind = await store.list_entry_names(tx, number, pair, transactions)
    return [one for one in transactions if one not in behind]


async def correct(
    tx: Tx, correction: str, *, of_window: int, pair: Pair, amount_rial: int, now: datetime
) -> Correction:
    """Let the debtor of pair owe the creditor amount_rial in the open window, once for each name.

    The window is not cut before this transaction ends. The same again gives what there is. Raises
    Alarm for the name with other figures.
    """
    made = Correction(
        correction=correction,
        of_window=of_window,
        window=await _lock_open_window(tx),
        pair=pair,
        amount_rial=amount_rial,
        made_at=now,
    )
    if await correction_store.insert_correction(tx, made):
        return made
    kept = await correction_store.find_correction(tx, correction)
    if kept is None or (kept.of_window, kept.pair, kept.amount_rial) != (
        of_window,
        pair,
        amount_rial,
    ):
        raise base_errors.Alarm(f"correction {correction} was made with other figures")
    return kept


async def pay_corrections(tx: Tx, pairs: Sequence[Pair], *, up_to: int, now: datetime) -> None:
    """The corrections of pairs, both ways, of windows up to one are paid: in the open window."""
    window = await _lock_open_window(tx)
    await correction_store.insert_payments(tx, pairs, up_to=up_to, window=window, at=now)


async def _lock_open_window(tx: Tx) -> int:
    """The open window, not cut until this transaction ends; who waited for a cut looks again."""
    for _ in range(CUTS_MAX):
        window = await correction_store.lock_open_window(tx)
        if window is not None:
            return window
    raise base_errors.Unavailable("the settlement window is being cut; send the same again")


async def find_correction(tx: Tx, correction: str) -> Correction | None:
    """A correction, or None."""
    return await correction_store.find_correction(tx, correction)


async def list_unpaid_corrections(tx: Tx, number: int) -> list[Correction]:
    """Corrections of windows up to one that are not paid."""
    return await correction_store.list_unpaid_corrections(tx, number)


async def list_corrections(tx: Tx, number: int) -> list[Correction]:
    """Corrections that were made or paid in a window, by name."""
    return await correction_store.list_corrections(tx, number)


async def list_corrections_of(tx: Tx, number: int, party: int) -> list[Correction]:
    """Those of list_corrections that a party is one of."""
    return await correction_store.list_corrections_of(tx, number, party)


# ----------------------------------------------------------------------------------------- reading


async def get_window(tx: Tx, number: int) -> WindowReport:
    """A window, with its sums so far while it is not closed. Raises Unknown."""
    (report,) = await _reports(tx, [_there(await window_store.find_window(tx, number), number)])
    return report


async def list_windows(tx: Tx, *, before: int, limit: int) -> list[WindowReport]:
    """Windows below a number, newest first."""
    return await _reports(tx, await window_store.list_windows(tx, before=before, limit=limit))


async def get_closed(tx: Tx, number: int) -> Window:
    """A closed window. Raises Unknown, NotClosed."""
    window, _ = _there(await window_store.find_window(tx, number), number)
    if window.state is not WindowState.CLOSED:
        raise windows.NotClosed(f"window {number} is {window.state.value}; close it first")
    return window


async def list_pairs(
    tx: Tx, number: int, *, after: Pair | None, limit: int
) -> dict[Pair, PairSums]:
    """The gross matrix of a window: pairs in order, above after. Raises Unknown."""
    _there(await window_store.find_window(tx, number), number)
    return await store.list_pairs(tx, number, after=after, limit=limit)


async def list_positions(tx: Tx, number: int, *, after: int, limit: int) -> list[Position]:
    """Net positions of a closed window by party, above after. Raises Unknown, NotClosed."""
    await get_closed(tx, number)
    return await window_store.list_positions(tx, number, after=after, limit=limit)


async def get_position(tx: Tx, number: int, party: int) -> tuple[Window, Position]:
    """A closed window and a party's position in it; zeros where it had nothing to do with it.

    Raises Unknown, NotClosed.
    """
    window = await get_closed(tx, number)
    kept = await window_store.find_position(tx, number, party)
    return window, kept or Position(party=party)


async def list_pairs_of(
    tx: Tx, number: int, party: int, *, after: Pair | None = None, limit: int | None = None
) -> dict[Pair, PairSums]:
    """The pairs of a window that a party is one of, in order, above after; limit None: all."""
    return await store.list_pairs_of(tx, number, party, after=after, limit=limit)


async def list_entries(
    tx: Tx, number: int, pair: Pair, *, after: tuple[int, int], limit: int
) -> list[PairEntry]:
    """The entries behind a pair of a closed window, by shard and sequence. Raises as get_closed."""
    await get_closed(tx, number)
    return await store.list_entries(tx, number, pair, after=after, limit=limit)


async def get_whole(tx: Tx, number: int, *, limit: int) -> WholeWindow:
    """All that is kept of a closed window, with at most limit miscounted pairs.

    It sums every entry of the window: a report, not a reading for the road. Raises Unknown,
    NotClosed.
    """
    await get_closed(tx, number)
    report = await get_window(tx, number)
    await store.begin_analysis(tx)
    return WholeWindow(
        window=report.window,
        sums=report.sums,
        markers=report.markers,
        markers_before=await store.list_markers(tx, number - 1),
        pairs=await store.list_pairs(tx, number),
        positions=await window_store.list_positions(tx, number),
        unpaid_before=await window_store.list_unpaid(tx, number - 1),
        corrections=await correction_store.list_corrections(tx, number),
        miscounted=await store.list_miscounted(tx, number, limit=limit),
    )


def _there(
    kept: tuple[Window, WindowSums | None] | None, number: int
) -> tuple[Window, WindowSums | None]:
    if kept is None:
        raise errors.Unknown(f"there is no window {number} yet")
    return kept


async def _reports(tx: Tx, kept: Sequence[tuple[Window, WindowSums | None]]) -> list[WindowReport]:
    numbers = [window.window for window, _ in kept]
    names = {number: windows.command_name(number) for number in numbers}
    answers = await requests.find_results(tx, list(names.values()))
    markers = await store.list_markers_of(tx, numbers)
    return [
        WindowReport(
            window,
            sums or await _sums_so_far(tx, window.window),
            markers.get(window.window, []),
            answers.get(names[window.window], NOT_ANSWERED),
        )
        for window, sums in kept
    ]


async def _sums_so_far(tx: Tx, number: int) -> WindowSums:
    return replace(
        await store.sum_pairs(tx, number),
        outcomes_count=await store.sum_outcomes(tx, number),
        net_rial=positions.net_of(await store.list_party_sums(tx, number)),
    )
