"""Figures, charts and image grids."""
