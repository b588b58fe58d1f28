"""How `halfreal run` makes replicates until there are enough."""
