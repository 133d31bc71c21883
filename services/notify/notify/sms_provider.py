"""The SMS provider, in Kavenegar's wire shape. The key is in the path: no error here shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
import msgspec

from kit.room import Resources
from notify import settings

RETRY_CODES: Final = frozenset({402, 409, 429, 451})
ACCOUNT_CODES: Final = frozenset({401, 403, 407, 412, 416, 418, 426, 427})
STATUS_UNKNOWN: Final = 100  # the provider has no SMS of that id


class RefusalKind(Enum):
    """What a refused call needs."""

    RETRY = "retry"  # the same again after a pause; half of a batch may have been taken
    ACCOUNT = "account"  # key, credit or line: an operator must act; retried meanwhile
    CONTENT = "content"  # a number or text of this call is at fault


class Refused(Exception):
    """The provider refused a call, with its code: nothing of it was sent, unless RETRY."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the provider refused with {code}")
        self.code = code

    @property
    def kind(self) -> RefusalKind:
        """What the refused call needs."""
        if self.code in RETRY_CODES:
            return RefusalKind.RETRY
        return RefusalKind.ACCOUNT if self.code in ACCOUNT_CODES else RefusalKind.CONTENT


class NoAnswer(Exception):
    """No answer that could be read: the call may have taken effect. Query before sending again."""


@dataclass(frozen=True, slots=True)
class OutgoingSms:
    """One SMS for the provider. local_id: its row's id, by which the provider knows a repeat."""

    local_id: int
    mobile: str  # E.164
    text: str


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """The provider's status of one SMS. provider_id 0: it does not know the SMS."""

    provider_id: int
    status: int
    cost_rial: int = 0


class _Return(msgspec.Struct):
    status: int
    message: str = ""


class _Entry(msgspec.Struct):
    messageid: int
    status: int
    cost: int = 0


class _Body(msgspec.Struct, rename={"returned": "return"}):
    returned: _Return
    entries: list[_Entry] | None = None


class SmsProvider:
    """Holds the connections to the provider."""

    def __init__(self, *, url: str, key: str, sender: str, timeout_s: float) -> None:
        self._root = f"{url.rstrip('/')}/v1/{key}"
        self._sender = sender
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

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

    async def send(self, batch: Sequence[OutgoingSms]) -> list[DeliveryReport]:
        """Send up to 200 in one call (sms/sendarray); reports in the batch's order.

        The provider dedupes by local id. Raises Refused, NoAnswer.
        """
        entries = await self._call(
            "sms/sendarray",
            {
                "receptor": _array([_local_form(sms.mobile) for sms in batch]),
                "sender": _array([self._sender] * len(batch)),
                "message": _array([sms.text for sms in batch]),
                "localmessageids": _array([str(sms.local_id) for sms in batch]),
            },
            count=len(batch),
        )
        return [DeliveryReport(entry.messageid, entry.status, entry.cost) for entry in entries]

    async def status_by_local_id(self, local_ids: Sequence[int]) -> list[DeliveryReport]:
        """The status of SMS by our ids, in their order. Raises Refused, NoAnswer."""
        form = {"localid": ",".join(map(str, local_ids))}
        entries = await self._call("sms/statuslocalmessageid", form, count=len(local_ids))
        return [DeliveryReport(entry.messageid, entry.status) for entry in entries]

    async def status(self, provider_ids: Sequence[int]) -> list[DeliveryReport]:
        """The status of up to 500 SMS by the provider's ids. Raises Refused, NoAnswer."""
        form = {"messageid": ",".join(map(str, provider_ids))}
        entries = await self._call("sms/status", form, count=len(provider_ids))
        return [DeliveryReport(entry.messageid, entry.status) for entry in entries]

    async def _call(self, method: str, form: dict[str, str], *, count: int) -> list[_Entry]:
        if self._session is None:
            raise NoAnswer(f"{method}: not open")
        try:
            async with self._session.post(
                f"{self._root}/{method}.json", data=form, allow_redirects=False
            ) as response:
                raw = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # the error's text and chain may carry the address, and with it the key
            raise NoAnswer(f"{method}: {type(error).__name__}") from None
        try:
            body = msgspec.json.decode(raw, type=_Body)
        except msgspec.MsgspecError:
            raise NoAnswer(f"{method}: HTTP {response.status} without a readable body") from None
        if body.returned.status != 200:
            raise Refused(body.returned.status)
        if body.entries is None or len(body.entries) != count:
            raise NoAnswer(f"{method}: {len(body.entries or ())} entries for {count}")
        return body.entries


def sms_provider(opened: Resources) -> SmsProvider:
    """The provider that the settings name; `opened.shared(sms_provider)` makes it once."""
    config: settings.Settings = opened.settings
    return SmsProvider(
        url=config.sms_url,
        key=config.sms_api_key,
        sender=config.sms_sender,
        timeout_s=settings.SEND_TIMEOUT_S,
    )


def parse_callback(form: dict[str, Any]) -> DeliveryReport | None:
    """The report in a delivery callback's fields; None when they are not one."""
    try:
        return DeliveryReport(int(form["messageid"]), int(form["status"]))
    except (KeyError, TypeError, ValueError):
        return None


def _array(values: Sequence[str]) -> str:
    return msgspec.json.encode(values).decode()


def _local_form(mobile: str) -> str:
    """E.164 as the provider expects it: 09… at home, 00 and the country abroad."""
    return "0" + mobile[3:] if mobile.startswith("+98") else "00" + mobile[1:]
