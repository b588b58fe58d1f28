"""Membership in the tiny experiment, with and without an audit split."""
