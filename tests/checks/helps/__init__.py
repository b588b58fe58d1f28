"""When does synthetic data help? A search over settings on some real images, confirmed on others."""
