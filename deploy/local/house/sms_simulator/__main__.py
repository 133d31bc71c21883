"""`python -m house.sms_simulator`: SMS_PORT, SMS_KEY, SMS_CALLBACK_URL, SMS_DELIVERY_DELAY_S."""

import os
import signal
import sys

import uvicorn

from house.sms_simulator import app
from house.sms_simulator.exchange import Exchange


def main() -> int:
    """Serve until told to stop."""
    port, key = os.environ.get("SMS_PORT", ""), os.environ.get("SMS_KEY", "")
    if not port.isdigit() or not key:
        print("SMS_PORT and SMS_KEY are needed", file=sys.stderr)
        return 64
    exchange = Exchange(keep=int(os.environ.get("SMS_KEEP", "200000")))
    exchange.controls.callback_url = os.environ.get("SMS_CALLBACK_URL", "")
    exchange.controls.delivery_delay_s = float(os.environ.get("SMS_DELIVERY_DELAY_S", "0.2"))
    # uvicorn ends in good order and then raises the signal again, for whoever listened before it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(
        app.build(exchange, key),
        host="127.0.0.1",
        port=int(port),
        log_level="warning",
        access_log=False,  # the key is in the path
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
