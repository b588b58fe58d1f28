"""Mistakes in the membership test."""
