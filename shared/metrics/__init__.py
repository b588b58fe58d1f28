"""What is measured of images and of classifiers' answers."""
