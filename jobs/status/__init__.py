"""What is on a volume: which experiments, what of them is complete, at work or unfinished."""
