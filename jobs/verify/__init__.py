"""Whether what is on a volume is as it was written."""
