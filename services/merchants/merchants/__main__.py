"""python -m merchants serve, work or migrate."""

from kit import run
from merchants.main import SERVICE

run.main(SERVICE)
