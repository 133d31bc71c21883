"""The identity service: who signs in, and what he may."""
