"""How the gain from synthetic images depends on how many real ones there are: an experiment for each number."""
