"""What watches and tries the platform: demo, history, benches, and what they look at it with."""
