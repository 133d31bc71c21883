"""python -m members serve, work or migrate."""

from kit import run
from members.main import ROOM

run.main(ROOM)
