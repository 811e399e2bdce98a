"""Check a config or a sheet row against a JSON schema; an error says in one sentence what to write instead."""

import difflib
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from jsonschema import Draft202012Validator

from repalign.errors import InputError


def check(document: Any, schema: Mapping[str, Any], source: str) -> None:
    """Raise `InputError` for the first violation of `schema`, or return None.

    Parameters
    ----------
    document : the parsed config or row
    schema : dict, JSON schema (draft 2020-12); the `description` of a property is quoted to say what is allowed
    source : str, the file (and row), with which the message begins
    """
    if place := _not_finite(document):
        raise InputError(f"{source}, {place}: a number must be finite, neither NaN nor infinite.")
    errors = sorted(
        Draft202012Validator(schema).iter_errors(document), key=lambda e: (len(e.path), str(e.path))
    )
    if errors:
        raise InputError(f"{source}{_where(errors[0])}: {_sentence(errors[0])}")


# What YAML calls the types of JSON schema.
TYPES = {
    "object": "a mapping",
    "array": "a list",
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "null": "null",
}


def _not_finite(document, place=""):
    """The place of a NaN or infinity in a document, which bounds in a schema do not catch; empty if there is none."""
    if isinstance(document, float):
        return "" if math.isfinite(document) else place or "value"
    if isinstance(document, dict | list):
        items = document.items() if isinstance(document, dict) else enumerate(document)
        for key, value in items:
            if found := _not_finite(value, f"{place}.{key}" if place else str(key)):
                return found
    return ""


def _where(error):
    return ", " + ".".join(str(part) for part in error.absolute_path) if error.absolute_path else ""


def _sentence(error):
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        unknown = [key for key in error.instance if key not in known]
        return f"unknown key '{unknown[0]}'; {nearest(unknown[0], known)}."
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        hint = _described(error.schema.get("properties", {}).get(missing[0], {}))
        return f"the key '{missing[0]}' is missing{hint}."
    value, hint = _shown(error.instance), _described(error.schema)
    if error.validator == "enum":
        return f"{value} is not allowed; {nearest(error.instance, error.validator_value)}."
    if error.validator == "type":
        kinds = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
        return f"{value} is not {' or '.join(TYPES[kind] for kind in kinds)}{hint}."
    if hint and error.validator in ("pattern", "oneOf"):
        return f"{value} is not allowed{hint}."
    return f"{error.message}{hint}."


def _shown(value):
    """A value as in YAML, on one line of at most 80 characters."""
    if isinstance(value, str):
        text = repr(value) if value else "an empty value"
    else:
        text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _described(schema):
    return f" ({schema['description'].rstrip('.')})" if "description" in schema else ""


def nearest(word: object, known: Iterable[object]) -> str:
    """'did you mean X' if a known word is similar, otherwise the list of known words."""
    names = [str(name) for name in known]
    close = difflib.get_close_matches(str(word), names, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(close)}" if close else f"use one of {', '.join(names)}"
