"""What `halfreal judge` says of synthetic images of which the right answer is known."""
