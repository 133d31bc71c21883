"""python -m identity serve, work or migrate."""

from identity.main import SERVICE
from kit import run

run.main(SERVICE)
