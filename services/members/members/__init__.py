"""Peyvand's members package."""
