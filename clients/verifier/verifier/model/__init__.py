"""What each command must have done, worked out anew from its own bytes and what stood before."""
