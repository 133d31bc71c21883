"""The gateway: its parts."""

from typing import Final

from gateway.part import application
from gateway.part import part as edge
from gateway.settings import Settings
from kit.room import Service

PARTS: Final = (edge,)
SERVICE: Final = Service(name="gateway", settings=Settings, parts=PARTS, application=application)
