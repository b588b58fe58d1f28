"""The experiment as a specification: what each classifier, annotator and generator actually sees."""
