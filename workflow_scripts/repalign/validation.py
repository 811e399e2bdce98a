"""Check a config or a sheet row against a JSON schema; say in one sentence what to write instead."""

import difflib

from jsonschema import Draft202012Validator

from repalign.errors import InputError


def check(document, schema, source):
    """Raise `InputError` for the first violation of `schema`, or return None.

    Parameters
    ----------
    document : the parsed config or row
    schema : dict, JSON schema (draft 2020-12); `description` of a property is quoted as the way out
    source : str, names the file (and row) in the message
    """
    errors = sorted(
        Draft202012Validator(schema).iter_errors(document), key=lambda e: (len(e.path), str(e.path))
    )
    if errors:
        raise InputError(f"{source}{_where(errors[0])}: {_sentence(errors[0])}")


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
    value = f"{error.instance!r}" if error.instance != "" else "an empty value"
    hint = _described(error.schema)
    if error.validator == "enum":
        return f"{value} is not allowed; {nearest(error.instance, error.validator_value)}."
    if error.validator == "type":
        kinds = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
        return f"{value} is not {' or '.join(kinds)}{hint}."
    if error.validator == "pattern":
        return f"{value} does not match {error.validator_value}{hint}."
    return f"{error.message}{hint}."


def _described(schema):
    return f" ({schema['description'].rstrip('.')})" if "description" in schema else ""


def nearest(word, known):
    """'did you mean X?' where a known word is close, else the list of known words."""
    known = [str(name) for name in known]
    close = difflib.get_close_matches(str(word), known, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(close)}" if close else f"use one of {', '.join(known)}"
