"""Generators, discriminators and classifiers: literal tables of small modules.

A network is rebuilt from its `spec`, a dict of JSON values: `name` picks the row of the table, the rest are the
keywords of that row's class. A snapshot stores the spec with the weights.
"""
