"""python -m notify serve, work or migrate."""

from kit import run
from notify.main import SERVICE

run.main(SERVICE)
