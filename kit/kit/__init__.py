"""Peyvand's kit package."""
