"""Charts and pictures of a GAN over its training."""
