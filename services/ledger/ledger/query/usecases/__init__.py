"""Readings for members, auditors and operators: one snapshot each, bounded."""
