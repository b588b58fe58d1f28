"""A long training under faults, next to one that nothing disturbs."""
