"""The loaders that are written next to an exported generator: none imports halfreal, none is imported by it."""
