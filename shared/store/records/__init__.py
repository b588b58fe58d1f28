"""Records: what each artifact says of itself, as typed rows of its manifest's `facts`."""
