"""How often the copy test flags honest images, and which copies it finds; see `__main__`."""
