"""Endpoints of merchants' programs: where webhooks go, and what signs them."""
