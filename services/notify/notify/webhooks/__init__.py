"""Webhooks: what merchants' programs are told, as Standard Webhooks 1.0.0 has it."""
