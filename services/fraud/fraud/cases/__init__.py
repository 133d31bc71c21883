"""Cases: earnings under review, and what a reviewer decides."""
