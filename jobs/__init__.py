"""The jobs of halfreal: each a command of its own that meets the others only on disk."""
