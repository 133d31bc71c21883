"""Peyvand's merchants package."""
