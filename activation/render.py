"""Rendering: an intent and a platform's template become configuration text."""

import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    select_autoescape,
)

from activation.errors import RenderError
from activation.model import Dialect, Intent
from activation.platforms import Platform

SUFFIX: Final[Mapping[Dialect, str]] = {"netconf": ".xml.j2", "cli": ".cfg.j2"}


class Renderer:
    """Renders the templates ``<folder>/<platform>/<intent>.{xml,cfg}.j2``."""

    def __init__(self, folder: Path, platforms: Mapping[str, Platform]) -> None:
        self._platforms = platforms
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=select_autoescape(enabled_extensions=(SUFFIX["netconf"],), default=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )

    def render(self, intent: Intent, platform: str) -> str:
        """Return the configuration of ``intent`` in the platform's notation, ready to be a fragment's text.

        Raises:
            RenderError: no such platform or template, a variable the template needs and the intent lacks, a
                template that fails, or a value that would start a line of its own.
        """
        name = self._template_name(intent, platform)
        _refuse_control_characters(name, intent.variables)
        try:
            return self._environment.get_template(name).render(intent.variables)
        except TemplateNotFound as error:
            raise RenderError(f"{name}: no such template; known: {', '.join(self._known(platform))}") from error
        except TemplateSyntaxError as error:
            raise RenderError(f"{error.name or name}, line {error.lineno}: {error.message}") from error
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            raise RenderError(f"{name}, line {_template_line(error, name)}: {error}") from error

    def _template_name(self, intent: Intent, platform: str) -> str:
        if platform not in self._platforms:
            known = ", ".join(sorted(self._platforms))
            raise RenderError(f"{intent.name}: unknown platform {platform!r}; known: {known}")
        return f"{platform}/{intent.name}{SUFFIX[self._platforms[platform].dialect]}"

    def _known(self, platform: str) -> list[str]:
        return [name for name in self._environment.list_templates(extensions=["j2"]) if name.startswith(f"{platform}/")]


def _refuse_control_characters(template: str, variables: Mapping[str, Any]) -> None:
    for path, value in _strings("", variables):
        # One line feed in a value is one more command on a device's command line.
        if not value.isprintable():
            raise RenderError(f"{template}: variable {path!r} holds {value!r}; legal: printable characters only")


def _strings(path: str, value: object) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield path, value
        case Mapping():
            for key, item in value.items():
                yield from _strings(f"{path}.{key}" if path else str(key), item)
        case list() | tuple():
            for index, item in enumerate(value):
                yield from _strings(f"{path}[{index}]", item)


def _template_line(error: Exception, template: str) -> int:
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno or 0 for frame in reversed(frames) if frame.filename.endswith(template)), 0)
