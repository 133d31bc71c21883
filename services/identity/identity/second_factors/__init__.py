"""Second factors: one-time codes of an authenticator, and recovery codes."""
