"""Peyvand's ledger package."""
