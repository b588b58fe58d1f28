"""Every job is ended at every durable step that it takes, and run again: what it leaves must be as if undisturbed."""
