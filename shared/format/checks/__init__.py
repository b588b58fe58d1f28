"""Everything that can be wrong with a file, for whoever looks after a volume; readers stop at the first thing."""
