"""Peyvand's house package."""
