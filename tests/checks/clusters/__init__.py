"""Planted mistakes: several experiments in one place, workflows of other engines."""
