"""Pure rules of the road: what is earned, what a redemption is worth, which command says so."""
