"""Peyvand's notify package."""
