"""User changes: an operator stops a user, opens him, or changes what he may do."""
