"""What the parts of a YAML file have in common: camelCase keys, and errors that name the place and the legal keys."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails


class Part(BaseModel):
    """A mapping in a file; unknown keys are answered with the legal ones."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)

    @model_validator(mode="before")
    @classmethod
    def _name_the_legal_keys(cls, given: object) -> object:
        legal = [field.alias or name for name, field in cls.model_fields.items()]
        if not isinstance(given, Mapping):
            raise ValueError(f"a mapping must stand here; legal keys: {', '.join(legal)}")  # noqa: TRY004 - pydantic's protocol
        unknown = sorted(str(key) for key in given if key not in legal)
        if unknown:
            raise ValueError(f"unknown key {', '.join(map(repr, unknown))}; legal: {', '.join(legal)}")
        return given


def problem(detail: ErrorDetails) -> str:
    """Return what is wrong, with its place."""
    where = ""
    for step in detail["loc"]:
        where += f"[{step}]" if isinstance(step, int) else f".{step}"
    message = detail["msg"].removeprefix("Value error, ")
    return f"{where.lstrip('.')}: {message}" if where else message
