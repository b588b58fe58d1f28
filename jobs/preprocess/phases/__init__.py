"""The phases of preprocess: pieces of work that parts divide."""
