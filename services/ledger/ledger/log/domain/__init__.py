"""Pure rules of the log, and what its leaves say of earlier commands."""
