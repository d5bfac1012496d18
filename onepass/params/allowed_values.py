"""What a key allows, in words, from its type: one sentence with all bounds, whatever is wrong with a value."""

from typing import Any

from onepass.params.sections import Section

NUMBERS = {"integer": "a whole number", "number": "a number"}


def allowed_values(schema: type[Section], key: str) -> str:
    """The values that a key takes, for an error message: ``a whole number from 1 to 1000``."""
    return _in_words(schema.model_json_schema()["properties"][key])


def _in_words(field: dict[str, Any]) -> str:
    """A type in JSON Schema's terms, of those that params have."""
    if "anyOf" in field:
        one, other = field["anyOf"]
        of_them = f"a list of {other['minItems']} to {other['maxItems']} of them" if "items" in other else ""
        return f"{_in_words(one)}, or {of_them or _in_words(other)}"
    if "$ref" in field:
        return "its parts: scale, mean, std, channels"
    if "const" in field or "enum" in field:
        return " | ".join(field.get("enum") or [field["const"]])
    if field["type"] == "string":
        return "a text that is not empty"
    return f"{NUMBERS[field['type']]} {_bounds(field)}"


def _bounds(field: dict[str, Any]) -> str:
    """The lower and the upper one, as every number among the params has them."""
    low, high = field.get("minimum"), field.get("maximum")
    if low is not None and high is not None:
        return f"from {low:.10g} to {high:.10g}"
    below = f"below {field['exclusiveMaximum']:.10g}" if high is None else f"at most {high:.10g}"
    above = f"above {field['exclusiveMinimum']:.10g}" if low is None else f"of at least {low:.10g}"
    return f"{above} and {below}"
