"""What a person at a terminal sees of the command line besides its work: hints, help, completion, progress of a run."""
