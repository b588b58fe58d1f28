"""The job `tune`: search for better options of train_gan, then compare them with the baseline."""
