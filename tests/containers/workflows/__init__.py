"""The workflows of other engines: made from the table, and valid for the engine."""
