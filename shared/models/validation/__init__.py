"""How a classifier does on val while it is fitted."""
