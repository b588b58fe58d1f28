"""Locks that need nothing of a file system but names: a file says who holds each, and beats while its owner lives."""
