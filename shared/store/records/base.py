"""What every record has in common: frozen rows, read strictly, whose JSON layout never changes.

A field that has a default of None is left out of the JSON while it is None; one without a default is always there.
Keys that no field knows are ignored, so that a newer volume can be read as far as it is understood.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, ValidationError
from pydantic import model_serializer as serializer
from pydantic import model_validator as validator

from shared.errors import FormatError

Interval = Annotated[tuple[float, float], Field(strict=False)]
"""A lower and an upper bound; JSON has them as a list."""

Value = str | int | float | bool | None
"""The value of an option, as JSON has it."""


class Record(BaseModel):
    """A row, or what a whole artifact says of itself."""

    # defer_build: a command reads a few of the records, and pydantic would build the validators of all on import
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", defer_build=True)

    @serializer(mode="wrap")
    def _stored(self, dump: SerializerFunctionWrapHandler) -> dict[str, object]:
        known = type(self).model_fields
        return {
            name: value
            for name, value in dump(self).items()
            if value is not None or name not in known or known[name].is_required()
        }

    def facts(self) -> dict[str, object]:
        """Return the record as a manifest stores it: what JSON holds."""
        return self.model_dump(mode="json")

    def tracked(self) -> Iterator[tuple[dict[str, float], int | None]]:
        """Yield what trackers are told once the work is done: numbers by name, and the step or epoch, if of any."""
        yield from ()


class FlatRecord(Record):
    """A row some of whose keys are not known beforehand: scores, losses, metrics.

    The field called `flat` holds them by name; in JSON they are next to the row's other keys.
    """

    flat: ClassVar[str]
    takes: ClassVar[type | tuple[type, ...]] = (int, float)

    @validator(mode="before")
    @classmethod
    def _gather(cls, fields: object) -> object:
        if not isinstance(fields, dict) or cls.flat in fields:
            return fields
        known = {name: value for name, value in fields.items() if name in cls.model_fields}
        named = {name: value for name, value in fields.items() if name not in known and isinstance(value, cls.takes)}
        return known | {cls.flat: named}

    @serializer(mode="wrap")
    def _stored(self, dump: SerializerFunctionWrapHandler) -> dict[str, object]:
        fields: dict[str, Any] = super()._stored(dump)
        named: dict[str, object] = fields.pop(self.flat)
        return fields | named


R = TypeVar("R", bound=Record)

FLAT_FIELDS = {"scores", "by_class", "losses", "metrics", "on_test"}
"""Names of fields that JSON does not have, since what they hold is next to the others."""


def parse_record(row: type[R], fields: object, where: str) -> R:
    """Return the record in `fields`; `where` names their place in errors.

    Raises FormatError that names the first field that is missing or wrong.
    """
    try:
        return row.model_validate(fields)
    except ValidationError as error:
        raise FormatError(f"{where} {_reason(error)}") from error


def parse_record_json(row: type[R], payload: bytes, where: str) -> R:
    """Return the record in the JSON `payload`, as `parse_record`."""
    try:
        return row.model_validate_json(payload)
    except ValidationError as error:
        raise FormatError(f"{where} {_reason(error)}") from error


def _reason(error: ValidationError) -> str:
    # one mistake is enough, as a message has three lines
    first = error.errors(include_url=False)[0]
    parts = [*first["loc"], ""]
    # a flat field is followed by the name of what it holds; `losses` is also the name of a list of rows
    held = [str(part) for part, after in pairwise(parts) if isinstance(after, int) or part not in FLAT_FIELDS]
    place = ".".join(held)
    if first["type"] == "missing":
        return f"has no field {place!r}"
    said = first["msg"].removeprefix("Value error, ")
    if first["type"] == "value_error":
        return f"is incomplete: {place}{': ' if place else ''}{said}"
    return f"has {first['input']!r:.40} in the field {place!r}: {said[:1].lower()}{said[1:]}"
