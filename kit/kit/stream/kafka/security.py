"""TLS and SASL of every Kafka client of a process; none where the settings name none."""

import ssl
from pathlib import Path
from typing import Any, Final

from kit.base.settings import ServiceSettings, SettingsError

OPTIONS: Final[dict[str, Any]] = {}  # what every client of the process is opened with


def secure(room: ServiceSettings) -> None:
    """Have clients opened from now on do as the settings say. Raises SettingsError."""
    OPTIONS.clear()
    tls, login = room.kafka_tls, room.kafka_login
    if len(tls) not in (0, 1, 3) or len(login) not in (0, 2) or (login and not tls):
        raise SettingsError("PEYVAND_KAFKA_TLS: ca, or ca,cert,key; beside it _LOGIN: user,file")
    try:
        if tls:
            context = ssl.create_default_context(cafile=tls[0])
            if tls[1:]:
                context.load_cert_chain(*tls[1:], password="")  # an encrypted key is refused
            OPTIONS.update(security_protocol="SSL", ssl_context=context)
        if login:
            password = Path(login[1]).read_text("utf-8").strip()
            OPTIONS.update(security_protocol="SASL_SSL", sasl_mechanism="SCRAM-SHA-512")
            OPTIONS.update(sasl_plain_username=login[0], sasl_plain_password=password)
    except (OSError, ValueError) as error:  # words of ours: a key or a password is not among them
        raise SettingsError(f"PEYVAND_KAFKA_TLS or PEYVAND_KAFKA_LOGIN: {error}") from None
