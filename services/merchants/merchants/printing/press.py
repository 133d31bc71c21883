"""The press: sheets become PDFs beside the event loop, one at a time, and few wait for it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from kit.base import errors
from kit.room import Resources
from merchants.printing.sheet import Sheet

WAITING_MAX: Final = 4  # sheets, with the one that is being set


class PressBusy(errors.TooMany):
    """As many sheets as may wait are waiting."""

    code = "printing-busy"
    fa = "چند صورت‌حساب دیگر در نوبت چاپ است؛ چند ثانیه بعد دوباره بفرستید."
    retry_after_s = 5


class Press:
    """One thread of its own: what a caller gave up is set to its end before the next begins."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="press")
        self._waiting = 0

    async def pdf_of(self, sheet: Sheet) -> bytes:
        """A sheet as a PDF. Raises PressBusy."""
        if self._waiting >= WAITING_MAX:
            raise PressBusy(f"{WAITING_MAX} statements are being printed; ask again in seconds")
        loop = asyncio.get_running_loop()
        self._waiting += 1
        job = self._thread.submit(_pdf_of, sheet)
        job.add_done_callback(lambda _: loop.call_soon_threadsafe(self._done))
        return await asyncio.wrap_future(job)

    def _done(self) -> None:
        self._waiting -= 1


def _pdf_of(sheet: Sheet) -> bytes:
    # fpdf2 takes seconds and some 50 MB to import: only who prints pays, in the press's thread
    from merchants.printing import layout

    return layout.pdf_of(sheet)


def press_of(_: Resources) -> Press:
    """The press of this process; `opened.shared(press_of)` makes it once."""
    return Press()
