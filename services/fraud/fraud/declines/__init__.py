"""What fraud let through and the network declined: taken out of windows and days again."""
