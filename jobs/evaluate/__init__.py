"""Score every snapshot of a GAN and choose one."""
