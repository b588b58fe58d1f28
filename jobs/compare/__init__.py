"""Several experiments next to each other: a page, JSON and a table in the terminal."""
