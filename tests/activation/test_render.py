from pathlib import Path
from typing import Any

import pytest

from activation.errors import RenderError
from activation.model import Intent, ServiceId
from activation.render import Renderer
from tests.activation.services import PLATFORMS


def render(folder: Path, template: str, platform: str = "frr", **variables: Any) -> str:
    (folder / platform).mkdir(exist_ok=True)
    suffix = "xml" if platform == "bbf_olt" else "cfg"
    (folder / platform / f"x.{suffix}.j2").write_text(template, encoding="utf-8")
    intent = Intent(service_id=ServiceId("s"), name="x", device="d", variables=variables)
    return Renderer(folder, PLATFORMS).render(intent, platform)


def test_xml_is_escaped_and_lines_are_not(tmp_path: Path) -> None:
    assert render(tmp_path, "<a>{{ v }}</a>", "bbf_olt", v="<&>") == "<a>&lt;&amp;&gt;</a>"
    assert render(tmp_path, "name {{ v }}", v="<&>") == "name <&>"


@pytest.mark.parametrize("value", ["a\nreload", "a\rreload", "a\x1b[A", "a\u2028b"])
@pytest.mark.parametrize("platform", ["frr", "bbf_olt"])
def test_a_value_cannot_start_a_line_of_its_own(tmp_path: Path, platform: str, value: str) -> None:
    with pytest.raises(RenderError, match=r"x\.\w+\.j2: variable 'v\.inner\[0\]' .* legal: printable"):
        render(tmp_path, "{{ v }}", platform, v={"inner": [value]})


FAILURES = {
    "a variable that is not there": ("a\nb {{ missing }}\n", r"frr/x\.cfg\.j2, line 2: 'missing' is undefined"),
    "an attribute that is not there": ("{{ v.missing }}", r"frr/x\.cfg\.j2, line 1: .*'missing'"),
    "a broken template": ("a\n\n{% if %}", r"frr/x\.cfg\.j2, line 3: Expected an expression"),
    "an impossible sum": ("a\n{{ v // 0 }}", r"frr/x\.cfg\.j2, line 2: .*zero"),
    "ill-typed": ("a\n{{ v + 'b' }}", r"frr/x\.cfg\.j2, line 2: unsupported operand"),
}


@pytest.mark.parametrize(("template", "reason"), FAILURES.values(), ids=FAILURES)
def test_a_failure_names_template_line_and_cause(tmp_path: Path, template: str, reason: str) -> None:
    with pytest.raises(RenderError, match=reason):
        render(tmp_path, template, v=1)


def test_an_unknown_platform_and_template_name_the_known(tmp_path: Path) -> None:
    render(tmp_path, "x")
    renderer = Renderer(tmp_path, PLATFORMS)
    intent = Intent(service_id=ServiceId("s"), name="y", device="d", variables={})
    with pytest.raises(RenderError, match="unknown platform 'junos'; known: arista_eos, bbf_olt, frr"):
        renderer.render(intent, "junos")
    with pytest.raises(RenderError, match=r"frr/y\.cfg\.j2: no such template; known: frr/x\.cfg\.j2"):
        renderer.render(intent, "frr")
