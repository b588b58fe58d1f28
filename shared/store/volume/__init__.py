"""A volume as whoever looks after it sees it: room, notes of progress, what is left over."""
