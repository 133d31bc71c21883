"""What applicants and those who decide do, and the documents behind it."""
