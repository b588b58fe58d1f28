"""Several pairs of networks in one GAN."""
