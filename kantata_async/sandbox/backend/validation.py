"""Bodies checked against the catalogue: known fields, types, required ones, closed lists, and what they refer to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final

import attrs

from kantata_async.catalogue import Field, Type

from .references import References, refer
from .refusals import invalid_field
from .store import Store
from .uploads import UploadedFile

FieldErrors = list[dict[str, Any]]

MAX_UPLOAD: Final = 10 * 1024 * 1024
_ANY_VALUE: Final = frozenset({"value"})


@attrs.frozen
class Checked:
    """The values of a body by name, and what is wrong with it."""

    values: dict[str, Any]
    errors: FieldErrors


@attrs.frozen
class Checker:
    """Checks the objects of one body; the values of a form are text, which is taken for the values that it spells."""

    store: Store
    references: References
    refuse_unknown: bool
    form: bool = False
    upload: str | None = None

    def check(self, collection: str, fields: Iterable[Field], raw: Any) -> Checked:
        """Check one object."""
        if not isinstance(raw, dict):
            return Checked({}, [invalid_field("must be an object")])
        known = {field.name: field for field in fields}
        errors: FieldErrors = []
        if self.refuse_unknown:
            errors += [invalid_field(f"{name} is not a known field", name) for name in raw if name not in known]
        errors += [
            invalid_field(f"{name} can't be blank", name)
            for name, field in known.items()
            if field.required and raw.get(name) in (None, "")
        ]
        values: dict[str, Any] = {}
        for name, value in raw.items():
            if name in known and not (known[name].required and value in (None, "")):
                values[name], found = self._field(collection, known[name], value)
                errors += found
        return Checked(values, errors + self._subject_errors(values))

    def _subject_errors(self, values: Mapping[str, Any]) -> FieldErrors:
        for kind in ("subject", "member"):
            reference = refer(values, kind)
            if reference is not None and reference["id"] not in self.store.records(reference["key"]):
                return [invalid_field(f"{kind}_id does not name an existing object", f"{kind}_id")]
        return []

    def _field(self, collection: str, field: Field, value: Any) -> tuple[Any, FieldErrors]:
        name = field.name
        if isinstance(value, UploadedFile) or name == self.upload:
            return value, self._file_errors(name, value)
        if value is None or name in _ANY_VALUE:
            return value, []
        if field.type.kind == "string" and name.endswith("_id") and isinstance(value, int):
            value = str(value)
        try:
            converted = self._converted(collection, field.type, value)
        except _NestedError as nested:
            return None, [{**error, "field": name} for error in nested.errors]
        except (ValueError, TypeError):
            return None, [invalid_field(f"{name} must be of type {_spelled(field.type)}", name)]
        return converted, self._reference_errors(collection, name, converted)

    def _file_errors(self, name: str, value: Any) -> FieldErrors:
        if not isinstance(value, UploadedFile):
            return [] if value is None else [invalid_field(f"{name} must be a file", name)]
        if name != self.upload:
            return [invalid_field(f"{name} must not be a file", name)]
        return [invalid_field(f"{name} is larger than 10 MB", name)] if len(value.content) > MAX_UPLOAD else []

    def _reference_errors(self, collection: str, name: str, value: Any) -> FieldErrors:
        if not name.endswith(("_id", "_ids")):
            return []
        key = self.references.key(collection, name)
        named = value if isinstance(value, list) else [value]
        if key is None or all(str(identity) in self.store.records(key) for identity in named):
            return []
        return [invalid_field(f"{name} does not name an existing object", name)]

    def _converted(self, collection: str, kind: Type, value: Any) -> Any:
        match kind.kind:
            case "array" if isinstance(value, list) and kind.of is not None:
                return [self._converted(collection, kind.of, entry) for entry in value]
            case "map" if isinstance(value, dict) and kind.of is not None:
                return {name: self._converted(collection, kind.of, entry) for name, entry in value.items()}
            case "fields":
                checked = self.check(collection, kind.fields, value)
                if checked.errors:
                    raise _NestedError(checked.errors)
                return checked.values
            case "enum" if value in kind.values:
                return value
            case "any" | "ref":
                return value
            case scalar if scalar in _SCALARS:
                return _SCALARS[scalar](value, self.form)
        raise TypeError(kind.kind)


class _NestedError(Exception):
    def __init__(self, errors: FieldErrors) -> None:
        self.errors = errors
        super().__init__(errors)


def _spelled(kind: Type) -> str:
    return f"one of {', '.join(kind.values)}" if kind.kind == "enum" else kind.kind


def _integer(value: Any, _: bool) -> int:
    if isinstance(value, (bool, float)):
        raise TypeError(value)
    return int(value)


def _number(value: Any, _: bool) -> float:
    if isinstance(value, bool):
        raise TypeError(value)
    return value if isinstance(value, int) else float(value)


def _boolean(value: Any, form: bool) -> bool:
    if isinstance(value, bool):
        return value
    if form and value in {"true", "false", "1", "0"}:
        return value in {"true", "1"}
    raise TypeError(value)


def _string(value: Any, _: bool) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _date(value: Any, _: bool) -> str:
    return date.fromisoformat(_string(value, _)[:10]).isoformat()


def _moment(value: Any, _: bool) -> str:
    return datetime.fromisoformat(_string(value, _)).isoformat()


def _object(value: Any, _: bool) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(value)
    return value


_SCALARS: Final[Mapping[str, Callable[[Any, bool], Any]]] = {
    "boolean": _boolean,
    "date": _date,
    "date-time": _moment,
    "integer": _integer,
    "number": _number,
    "object": _object,
    "string": _string,
}
