"""Invitations: how people set their password, the first time or anew."""
