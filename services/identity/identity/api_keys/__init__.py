"""API keys: what partners' programs come in with."""
