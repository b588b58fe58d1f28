"""A call of a job: what it makes, how that is made, and what a dry run says of it."""
