"""What `report` says of its page."""

from shared.store.records.base import Record


class ReportRecord(Record):
    """The page: how many bytes it has."""

    bytes: int
