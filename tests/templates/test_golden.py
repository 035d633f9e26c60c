"""Each template against what it is known to render: ``<platform>/<case>/{intent.yaml,expected.*}``."""

from pathlib import Path
from typing import Final

import pytest
import yaml

from activation.dialects import notation_for
from activation.intent import build_intent
from activation.model import ServiceId
from tests.activation.services import INTENTS, PLATFORMS, RENDERER, TEMPLATES

HERE: Final = Path(__file__).parent
CASES: Final = sorted(path.parent for path in HERE.glob("*/*/intent.yaml"))


def _render(case: Path) -> str:
    posted = yaml.safe_load((case / "intent.yaml").read_text(encoding="utf-8"))
    spec = INTENTS[posted["specification"]]
    intent = build_intent(spec, ServiceId("svc"), posted["characteristics"], active=posted.get("active", True))
    return RENDERER.render(intent, case.parent.name)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_template_renders_as_known(case: Path) -> None:
    (expected,) = case.glob("expected.*")
    assert _render(case) == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_what_is_rendered_can_be_planned(case: Path) -> None:
    notation = notation_for(PLATFORMS[case.parent.name])
    nodes = notation.parse(_render(case))
    assert nodes
    assert notation.parse(notation.show(nodes)) == nodes


def test_every_template_has_a_case_in_service_and_one_out_of_it() -> None:
    templates = {(path.parent.name, path.name.split(".")[0]) for path in TEMPLATES.glob("*/*.j2")}
    posted = {case: yaml.safe_load((case / "intent.yaml").read_text(encoding="utf-8")) for case in CASES}
    covered = {(case.parent.name, said["specification"], said.get("active", True)) for case, said in posted.items()}
    assert covered == {(*template, active) for template in templates for active in (True, False)}


def test_a_service_out_of_service_differs_by_what_takes_it_out() -> None:
    cases = [case for case in CASES if case.name == "out-of-service"]
    assert {_lines(case) - _lines(case.parent / "fibre-100") for case in cases} == {
        frozenset({"<enabled>false</enabled>"}),
        frozenset({"state suspend"}),
        frozenset({"shutdown"}),
        frozenset({"ont deactivate 3 1"}),
    }
    assert not any(_lines(case.parent / "fibre-100") - _lines(case) for case in cases)


def _lines(case: Path) -> frozenset[str]:
    return frozenset(line.strip() for line in _render(case).splitlines())
