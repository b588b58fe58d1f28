"""Completion of words by the shell: the script that it needs, and where that belongs."""
