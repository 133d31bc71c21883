"""The gateway: its parts."""

from typing import Final

from gateway.access.part import part as access
from gateway.openapi.part import part as openapi
from gateway.proxy.part import part as proxy
from gateway.road.part import part as road
from gateway.routing import application
from gateway.settings import Settings
from gateway.tables.part import part as tables
from kit.room import Service

PARTS: Final = (tables, access, road, proxy, openapi)
SERVICE: Final = Service(name="gateway", settings=Settings, parts=PARTS, application=application)
