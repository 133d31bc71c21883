"""The provider's HTTP in Kavenegar's shape: parameters in all their spellings, envelope, codes."""

import asyncio
import html
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from simulators.sms.exchange import STATUS_TEXTS, Delivery, Exchange, Message

RECEPTORS_MAX: Final = 200
TEXT_MAX: Final = 900
STATUS_IDS_MAX: Final = 500
LOCAL_STATUS_IDS_MAX: Final = 3_000
BODY_MAX: Final = 4_000_000
PAGE_MESSAGES: Final = 100

MESSAGES: Final = {
    200: "تایید شد",
    400: "پارامترها ناقص هستند",
    402: "عملیات ناموفق بود",
    403: "کد شناسائی معتبر نمی‌باشد",
    404: "متد نامشخص است",
    405: "متد Get/Post اشتباه است",
    409: "سرور قادر به پاسخگوئی نیست بعدا تلاش کنید",
    411: "دریافت کننده نامعتبر است",
    413: "پیام خالی است و یا طول پیام بیش از حد مجاز می‌باشد",
    414: "حجم درخواست بیشتر از حد مجاز است",
    418: "اعتبار شما کافی نمی‌باشد",
    419: "طول آرایه متن و گیرنده و فرستنده هم اندازه نیست",
    420: "استفاده از لینک در متن پیام برای شما محدود شده است",
    429: "آی‌پی شما محدود شده است",
    451: "تعداد درخواست‌ها بیش از حد مجاز است",
    607: "نام تگ انتخابی اشتباه است",
}
_RECEPTOR: Final = re.compile(r"(0|0098|\+98)?9[0-9]{9}")
_LINK: Final = re.compile(r"https?://|www\.", re.IGNORECASE)
_TAG: Final = re.compile(r"[A-Za-z0-9_\-]{1,200}")


class Refused(Exception):
    """The call is refused with that code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


Parameters = dict[str, list[str]]
Method = Callable[[Exchange, Parameters], Awaitable[Any]]


def endpoint(exchange: Exchange, key: str) -> Callable[[Request], Awaitable[Response]]:
    """The handler of /v1/{key}/{scope}/{method}.json."""

    async def answer(request: Request) -> Response:
        try:
            if request.path_params["key"] != key:
                raise Refused(403)
            name = f"{request.path_params['scope']}/{request.path_params['method']}"
            method = METHODS.get(name)
            if method is None:
                raise Refused(404)
            if name == "sms/sendarray" and request.method != "POST":
                raise Refused(405)
            entries = await method(exchange, await _parameters(request))
        except Refused as refused:
            return envelope(refused.code, None)
        return envelope(200, entries)

    return answer


def envelope(code: int, entries: Any) -> Response:
    """The provider's answer; the HTTP status mirrors the code."""
    status = {"status": code, "message": MESSAGES.get(code, "خطا")}
    return JSONResponse({"return": status, "entries": entries}, status_code=code)


async def _parameters(request: Request) -> Parameters:
    parameters: Parameters = {}
    for name, value in request.query_params.multi_items():
        parameters.setdefault(name, []).append(value)
    if request.method == "POST" and request.headers.get("content-type", "").startswith(
        "application/x-www-form-urlencoded"
    ):
        if int(request.headers.get("content-length", "0")) > BODY_MAX:
            raise Refused(414)
        async with request.form(max_fields=10_000) as form:
            for name, value in form.multi_items():
                parameters.setdefault(name, []).append(str(value))
    return parameters


def _array(parameters: Parameters, *names: str) -> list[str]:
    """A list: one JSON array, or repeated keys."""
    for name in names:
        values = parameters.get(name, [])
        if len(values) == 1 and values[0].lstrip().startswith("["):
            try:
                return [str(v) for v in msgspec.json.decode(values[0], type=list[str | int])]
            except msgspec.MsgspecError:
                raise Refused(400) from None
        if values:
            return values
    return []


def _commas(parameters: Parameters, *names: str) -> list[str]:
    """A list: comma separated, repeated keys, or a JSON array."""
    values = _array(parameters, *names)
    return [part.strip() for value in values for part in value.split(",") if part.strip()]


def _one(parameters: Parameters, name: str) -> str:
    return parameters.get(name, [""])[0]


async def _send(exchange: Exchange, parameters: Parameters) -> list[dict[str, Any]]:
    receptors = _commas(parameters, "receptor")
    text = _one(parameters, "message")
    local_ids = _commas(parameters, "localid")
    if local_ids and len(local_ids) != len(receptors):
        raise Refused(419)
    if (tag := _one(parameters, "tag")) and not _TAG.fullmatch(tag):
        raise Refused(607)
    sender = _one(parameters, "sender")
    local_ids = local_ids or [""] * len(receptors)
    outgoing = [(r, text, sender, i) for r, i in zip(receptors, local_ids, strict=True)]
    return await _accept(exchange, outgoing)


async def _send_array(exchange: Exchange, parameters: Parameters) -> list[dict[str, Any]]:
    receptors = _array(parameters, "receptor")
    texts = _array(parameters, "message")
    senders = _array(parameters, "sender")
    local_ids = _array(parameters, "localmessageids", "localmessageid") or [""] * len(receptors)
    if not receptors or not texts or not senders:
        raise Refused(400)
    if len({len(receptors), len(texts), len(senders), len(local_ids)}) != 1:
        raise Refused(419)
    return await _accept(exchange, list(zip(receptors, texts, senders, local_ids, strict=True)))


async def _accept(
    exchange: Exchange, outgoing: list[tuple[str, str, str, str]]
) -> list[dict[str, Any]]:
    exchange.counters.calls += 1
    if exchange.take("fail_next"):
        raise Refused(exchange.controls.fail_status)
    _check(outgoing)
    if exchange.take("half_next"):
        for message in outgoing[: len(outgoing) // 2]:
            exchange.accept(*message)
        raise Refused(409)
    accepted = [exchange.accept(*message) for message in outgoing]
    if exchange.take("hang_next"):
        await asyncio.sleep(exchange.controls.hang_s)
    return [_entry(message) for message in accepted]


def _check(outgoing: list[tuple[str, str, str, str]]) -> None:
    if not outgoing:
        raise Refused(400)
    if len(outgoing) > RECEPTORS_MAX:
        raise Refused(414)
    for receptor, text, _, _ in outgoing:
        if not _RECEPTOR.fullmatch(receptor):
            raise Refused(411)
        if not text or len(text) > TEXT_MAX:
            raise Refused(413)
        if _LINK.search(text):
            raise Refused(420)


async def _status(exchange: Exchange, parameters: Parameters) -> list[dict[str, Any]]:
    ids = _commas(parameters, "messageid")
    if not ids or not all(i.isascii() and i.isdigit() for i in ids):
        raise Refused(400)
    if len(ids) > STATUS_IDS_MAX:
        raise Refused(414)
    return [{"messageid": int(i), **_state(exchange.find(int(i)))} for i in ids]


async def _local_status(exchange: Exchange, parameters: Parameters) -> list[dict[str, Any]]:
    ids = _commas(parameters, "localid")
    if not ids:
        raise Refused(400)
    if len(ids) > LOCAL_STATUS_IDS_MAX:
        raise Refused(414)
    entries: list[dict[str, Any]] = []
    for local_id in ids:
        message = exchange.find_local(local_id)
        message_id = message.message_id if message else 0
        entries.append({"messageid": message_id, "localid": local_id, **_state(message)})
    return entries


async def _account(exchange: Exchange, _: Parameters) -> dict[str, Any]:
    left = 1_000_000_000 - exchange.counters.cost_rial
    return {"remaincredit": left, "expiredate": 13_548_889, "type": "Master"}


METHODS: Final[dict[str, Method]] = {
    "sms/send": _send,
    "sms/sendarray": _send_array,
    "sms/status": _status,
    "sms/statuslocalmessageid": _local_status,
    "account/info": _account,
}


def _entry(message: Message) -> dict[str, Any]:
    return {
        "messageid": message.message_id,
        "message": message.text,
        "status": int(message.status),
        "statustext": STATUS_TEXTS[message.status],
        "sender": message.sender,
        "receptor": message.receptor,
        "date": int(message.accepted_s),
        "cost": message.cost_rial,
    }


def _state(message: Message | None) -> dict[str, Any]:
    status = message.status if message else Delivery.UNKNOWN
    return {"status": int(status), "statustext": STATUS_TEXTS[status]}


def counters(exchange: Exchange) -> Response:
    """Counters as JSON."""
    return JSONResponse(asdict(exchange.counters))


def page(exchange: Exchange) -> str:
    """The newest messages for a person to look at, numbers masked."""
    rows = "".join(
        f"<tr><td><bdi>{m.receptor[:4]}***{m.receptor[-4:]}</bdi><td>{html.escape(m.text)}"
        f"<td>{STATUS_TEXTS[m.status]}"
        for m in exchange.newest(limit=PAGE_MESSAGES)
    )
    counted = asdict(exchange.counters)
    counts = " · ".join(f"{name}: <bdi>{count:,}</bdi>" for name, count in counted.items())
    return (
        '<!doctype html><html dir="rtl" lang="fa"><meta charset="utf-8">'
        "<title>پیامک‌ها · messages</title>"
        "<style>body{font-family:sans-serif;margin:2em}td{padding:.4em 1em;white-space:pre-wrap}"
        "</style><h1>پیامک‌های فرستاده‌شده · sent messages</h1>"
        f"<p>{counts}</p><table>{rows}</table></html>"
    )
