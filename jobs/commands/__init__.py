"""Commands that people type and no job needs."""
