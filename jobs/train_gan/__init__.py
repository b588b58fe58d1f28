"""Train a GAN on the real train split."""
