"""Planted mistakes in what keeps work from being lost."""
