"""Folders of files: what lies there, which files are images, which folders are no classes."""
