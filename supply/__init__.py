"""What the image is made of: the lock file as a bill of materials, and against published advisories."""
