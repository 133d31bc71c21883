"""Who takes part: parties, merchants, branches."""
