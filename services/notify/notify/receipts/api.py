"""HTTP door of receipts: the provider's callbacks."""

import hmac
from typing import Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response

from kit.base import errors
from kit.room import resources
from notify import sms_provider
from notify.receipts.usecases import receipt_buffer

RECEIPTS_PATH: Final = "/internal/receipts/"  # open: the address holds a secret
internal = APIRouter(include_in_schema=False)


@internal.post(RECEIPTS_PATH + "{secret}")
async def post_receipt(request: Request, secret: str) -> Response:
    """A delivery report as a form; 200 once it is written down, else the provider calls again."""
    body = (await request.body()).decode("utf-8", errors="replace")
    return await _receive(request, secret, dict(parse_qsl(body)) or dict(request.query_params))


@internal.get(RECEIPTS_PATH + "{secret}")
async def get_receipt(request: Request, secret: str) -> Response:
    """The same in the query."""
    return await _receive(request, secret, dict(request.query_params))


async def _receive(request: Request, secret: str, form: dict[str, str]) -> Response:
    opened = resources(request)
    expected: str = opened.settings.callback_secret
    if not hmac.compare_digest(secret.encode(), expected.encode()):
        raise errors.NotFound()
    report = sms_provider.parse_callback(form)
    if report is None:
        raise errors.Invalid("send messageid and status as numbers")
    if not await opened.shared(receipt_buffer).record(report):
        raise errors.NotFound("no message has that id yet; call again")
    return Response(status_code=200)
