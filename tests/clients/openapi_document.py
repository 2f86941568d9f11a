"""Holds an OpenAPI document against the specification, and its examples against their schemas.

usage: openapi_document.py FILE
Exits 0 when both are valid, else 1 with what is wrong.
"""

import json
import sys

try:
    from jsonschema import Draft202012Validator, FormatChecker
    from openapi_spec_validator import OpenAPIV31SpecValidator
except ImportError as missing:
    sys.exit(f"{missing}: pip install -r tests/clients/requirements.txt, or run tests/run")


def media_types(node, place=""):
    """Every object of the document with a schema and an example, or several."""
    if isinstance(node, dict):
        if "schema" in node and ("example" in node or "examples" in node):
            yield place, node
        for name, value in node.items():
            yield from media_types(value, f"{place}/{name}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from media_types(value, f"{place}/{index}")


def main(path):
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    errors = OpenAPIV31SpecValidator(document).iter_errors()
    faults = [f"{list(error.absolute_path)}: {error.message}" for error in errors]
    checked = 0
    for place, media_type in media_types(document):
        schema = {**media_type["schema"], "components": document["components"]}
        validator = Draft202012Validator(schema, format_checker=FormatChecker())
        examples = [media_type["example"]] if "example" in media_type else []
        examples += [example["value"] for example in media_type.get("examples", {}).values()]
        for example in examples:
            faults += [f"{place}: {error.json_path}: {error.message}" for error in validator.iter_errors(example)]
            checked += 1
    if checked < 40:
        faults.append(f"only {checked} examples")
    sys.exit("\n".join(faults) or 0)


main(sys.argv[1])
