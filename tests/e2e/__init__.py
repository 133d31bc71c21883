"""Stories and faults of the whole house, driven from outside."""
