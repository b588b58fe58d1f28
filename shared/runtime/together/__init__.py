"""What processes that train together need of each other: a layer over all of a batch, and to know who is there."""
