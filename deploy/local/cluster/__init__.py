"""Peyvand's cluster package."""
