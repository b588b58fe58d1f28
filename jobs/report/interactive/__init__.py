"""The parts of the page that answer a reader: hover, switches, a slider; each is readable without a script."""
