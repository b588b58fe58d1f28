"""Object stores: a client whose errors say what to do, and files that are fetched when they are read."""
