"""Stories and faults of the whole platform, driven from outside."""
