"""Peyvand's fraud package."""
