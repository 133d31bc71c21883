"""Peyvand's campaigns package."""
