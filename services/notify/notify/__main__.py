"""python -m notify serve, work or migrate."""

from kit import run
from notify.main import ROOM

run.main(ROOM)
