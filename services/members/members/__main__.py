"""python -m members serve, work or migrate."""

from kit import run
from members.main import SERVICE

run.main(SERVICE)
