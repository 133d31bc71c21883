"""The SMS provider, in Kavenegar's wire shape. The key is in the path: no error here shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
import msgspec

from notify import settings

RETRYABLE: Final = frozenset({402, 409, 429, 451})
OURS_TO_MEND: Final = frozenset({401, 403, 407, 412, 416, 418, 426, 427})


class Trouble(Enum):
    """What a refusal of the provider asks of us."""

    LATER = "later"  # the same again after a pause; half of a batch may have been taken
    ACCOUNT = "account"  # key, credit, line: a person must look; later meanwhile
    CONTENT = "content"  # a number or text of this call


class Refused(Exception):
    """The provider said no, with its code: nothing of the call was sent, unless LATER."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the provider refused with {code}")
        self.code = code

    @property
    def trouble(self) -> Trouble:
        """What to do about it."""
        if self.code in RETRYABLE:
            return Trouble.LATER
        return Trouble.ACCOUNT if self.code in OURS_TO_MEND else Trouble.CONTENT


class Silent(Exception):
    """No answer that could be read: what was asked may have happened. Ask before asking again."""


@dataclass(frozen=True, slots=True)
class Handover:
    """One SMS for the provider. local_id: its row's, by which a repeat is recognised."""

    local_id: int
    mobile: str  # E.164
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """What the provider knows of one SMS. provider_id 0: it does not know it."""

    provider_id: int
    status: int
    cost_rial: int = 0


class _Said(msgspec.Struct):
    status: int
    message: str = ""


class _Entry(msgspec.Struct):
    messageid: int
    status: int
    cost: int = 0


class _Body(msgspec.Struct, rename={"said": "return"}):
    said: _Said
    entries: list[_Entry] | None = None


class Provider:
    """Holds the connections to the provider."""

    def __init__(self, *, url: str, key: str, sender: str, timeout_s: float) -> None:
        self._root = f"{url.rstrip('/')}/v1/{key}"
        self._sender = sender
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    @classmethod
    def of(cls, given: settings.Settings, *, timeout_s: float = settings.SEND_TIMEOUT_S) -> Self:
        """The provider that the settings name."""
        return cls(
            url=given.sms_url, key=given.sms_api_key, sender=given.sms_sender, timeout_s=timeout_s
        )

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar()
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, batch: Sequence[Handover]) -> list[Report]:
        """Send up to 200 in one call (sms/sendarray); reports in the batch's order.

        The provider dedupes by local id. Raises Refused, Silent.
        """
        entries = await self._call(
            "sms/sendarray",
            {
                "receptor": _array([_local_form(one.mobile) for one in batch]),
                "sender": _array([self._sender] * len(batch)),
                "message": _array([one.text for one in batch]),
                "localmessageids": _array([str(one.local_id) for one in batch]),
            },
            wanted=len(batch),
        )
        return [Report(entry.messageid, entry.status, entry.cost) for entry in entries]

    async def find_local(self, local_ids: Sequence[int]) -> list[Report]:
        """What became of SMS by our ids, in their order. Raises Refused, Silent."""
        form = {"localid": ",".join(map(str, local_ids))}
        entries = await self._call("sms/statuslocalmessageid", form, wanted=len(local_ids))
        return [Report(entry.messageid, entry.status) for entry in entries]

    async def find(self, provider_ids: Sequence[int]) -> list[Report]:
        """The delivery of up to 500 SMS by the provider's ids. Raises Refused, Silent."""
        form = {"messageid": ",".join(map(str, provider_ids))}
        entries = await self._call("sms/status", form, wanted=len(provider_ids))
        return [Report(entry.messageid, entry.status) for entry in entries]

    async def _call(self, method: str, form: dict[str, str], *, wanted: int) -> list[_Entry]:
        if self._session is None:
            raise Silent(f"{method}: not open")
        try:
            async with self._session.post(
                f"{self._root}/{method}.json", data=form, allow_redirects=False
            ) as response:
                raw = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # the error's text and chain may carry the address, and with it the key
            raise Silent(f"{method}: {type(error).__name__}") from None
        try:
            body = msgspec.json.decode(raw, type=_Body)
        except msgspec.MsgspecError:
            raise Silent(f"{method}: HTTP {response.status} without a readable body") from None
        if body.said.status != 200:
            raise Refused(body.said.status)
        if body.entries is None or len(body.entries) != wanted:
            raise Silent(f"{method}: {len(body.entries or ())} entries for {wanted}")
        return body.entries


def _array(values: Sequence[str]) -> str:
    return msgspec.json.encode(values).decode()


def _local_form(mobile: str) -> str:
    """E.164 as the provider wants it: 09… at home, 00 and the country abroad."""
    return "0" + mobile[3:] if mobile.startswith("+98") else "00" + mobile[1:]


def parse_receipt(form: dict[str, Any]) -> Report | None:
    """A delivery callback's fields; None when they are not one."""
    try:
        return Report(int(form["messageid"]), int(form["status"]))
    except (KeyError, TypeError, ValueError):
        return None
