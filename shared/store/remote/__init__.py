"""Volumes in object stores: a mirror on this machine's disk, what is pulled into it and pushed from it, and leases."""
