"""Pure rules of the road: earning, redeeming, and the command that a decision becomes."""
