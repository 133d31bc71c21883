"""`python -m simulators.sms`: told where to listen and whom to tell by the environment."""

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import uvicorn

from simulators.sms import app
from simulators.sms.exchange import Exchange

PREFIX = "PEYVAND_"


def main() -> int:
    """Serve until told to stop.

    PEYVAND_HTTP_PORT, PEYVAND_SMS_API_KEY; PEYVAND_SMS_CALLBACK_URL (none: no callbacks),
    PEYVAND_SMS_DELIVERY_DELAY_S, PEYVAND_SMS_KEEP (how many messages are remembered).
    """
    port, key = _setting("HTTP_PORT"), _setting("SMS_API_KEY")
    if not port.isdigit() or not key:
        print(f"{PREFIX}HTTP_PORT and {PREFIX}SMS_API_KEY are needed", file=sys.stderr)
        return 64
    exchange = Exchange(keep=int(_setting("SMS_KEEP", "200000")))
    exchange.controls.callback_url = _setting("SMS_CALLBACK_URL")
    exchange.controls.delivery_delay_s = float(_setting("SMS_DELIVERY_DELAY_S", "0.2"))
    # uvicorn ends in good order and then raises the signal again, for whoever listened before it
    signal.signal(signal.SIGTERM, _end)
    uvicorn.run(
        app.build(exchange, key),
        host="127.0.0.1",
        port=int(port),
        log_level="warning",
        access_log=False,  # the key is in the path
        timeout_graceful_shutdown=2,
    )
    return 0


def _setting(name: str, default: str = "") -> str:
    return os.environ.get(PREFIX + name, default)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
