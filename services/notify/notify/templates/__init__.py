"""Templates: the texts members read, and what each costs."""
