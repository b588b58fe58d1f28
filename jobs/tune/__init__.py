"""The job `tune`: search for better options of train_gan, then compare before and after."""
