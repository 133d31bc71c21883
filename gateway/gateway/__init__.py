"""Peyvand's gateway package."""
