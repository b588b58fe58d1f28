"""Classifiers that others have written: torchvision's, with weights from a file or without, and the user's own."""
