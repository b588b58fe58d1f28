"""Commands for people; no job needs them."""
