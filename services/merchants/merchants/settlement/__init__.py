"""Settlement: closed windows are paid through the network's account, approved by two people."""
