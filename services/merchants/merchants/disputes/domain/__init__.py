"""Rules and values of disputes."""
