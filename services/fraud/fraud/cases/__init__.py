"""Cases: what a held earning waits for, and a reviewer's verdict on it."""
