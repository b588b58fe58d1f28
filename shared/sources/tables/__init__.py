"""Tables that list images: CSV, TSV, JSON lines and Parquet, alone or in a folder."""
