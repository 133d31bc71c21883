"""Contacts: where members are reached, and what they consented to."""
