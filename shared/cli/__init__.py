"""Command lines: the job decorator, options, recipes, dry runs, exit codes, progress."""
