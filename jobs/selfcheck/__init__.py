"""Whether this installation does what it should."""
