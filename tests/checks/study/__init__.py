"""Mistakes in studies, and in what their points have of their own."""
