"""Alerts: one name seen on two shards."""
