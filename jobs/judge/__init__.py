"""Judge synthetic images that somebody has: folders in, verdict out, no GAN trained."""
