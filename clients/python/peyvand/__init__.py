"""Peyvand's peyvand package."""
