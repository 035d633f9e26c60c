"""One emulated device alone, as its container runs it."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from labs.device import device
from labs.errors import LabStartError
from labs.runtimes.places import SHIPPED, shipped_labs
from labs.topology import load_topology

DOCKERFILE = Path(__file__).parents[2] / "labs" / "Dockerfile"


@pytest.mark.lab
@pytest.mark.parametrize(("platform", "protocol"), [("bbf_olt", "netconf"), ("frr", "ssh")])
def test_it_runs_until_it_is_told_to_end(platform: str, protocol: str) -> None:
    environ = {
        **os.environ,
        "LASTMILE_PLATFORM": platform,
        "LASTMILE_NAME": "alone",
        "LASTMILE_ADDRESS": "127.77.0.1",
        "LASTMILE_SSH_PORT": "0",
        "LASTMILE_NETCONF_PORT": "0",
        "LASTMILE_STARTUP": str(SHIPPED / "ftth" / "olt1.xml") if platform == "bbf_olt" else "/nowhere",
    }
    command = [sys.executable, "-m", "labs.device"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        line = running.stdout.readline()
        found = re.fullmatch(rf"alone: {protocol} (\d+)\n", line)
        assert found is not None, line
        with socket.create_connection(("127.77.0.1", int(found[1])), timeout=5) as connection:
            assert connection.recv(4) == b"SSH-"
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=20) == 0


@pytest.mark.lab
def test_what_the_image_copies_is_all_it_takes(tmp_path: Path) -> None:
    instructions = [line.split() for line in DOCKERFILE.read_text(encoding="utf-8").splitlines() if line[:1].isupper()]
    copied = [source for word, *sources in instructions if word == "COPY" for source in sources[:-1]]
    assert copied == ["requirements.txt", "labs"]
    shutil.copytree(DOCKERFILE.parent, tmp_path / "labs")
    assert (DOCKERFILE.parent.parent / "requirements.txt").is_file()
    (entry,) = [json.loads(" ".join(words)) for word, *words in instructions if word == "ENTRYPOINT"]
    # Without the site module no editable install of this project is found: the libraries, and what was copied.
    command = [sys.executable, "-S", *entry[1:]]
    environ = {
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "LASTMILE_PLATFORM": "bbf_olt",
        "LASTMILE_NAME": "image",
        "LASTMILE_ADDRESS": "127.77.0.2",
        "LASTMILE_SSH_PORT": "0",
        "LASTMILE_NETCONF_PORT": "0",
        "LASTMILE_STARTUP": "/nowhere",
    }
    with subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert re.match(r"image: netconf \d+", running.stdout.readline())
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=20) == 0


def test_an_unknown_platform_lists_the_legal_ones() -> None:
    with pytest.raises(LabStartError, match=r"LASTMILE_PLATFORM is 'toaster'; legal: arista_eos, bbf_olt, frr"):
        device({"LASTMILE_PLATFORM": "toaster"})


def test_the_shipped_topology_tells_the_container_what_it_is() -> None:
    node = load_topology(shipped_labs()["ftth"], {}).nodes["olt1"]
    assert node.env["LASTMILE_PLATFORM"] == node.platform
    assert f"{node.startup_config.name if node.startup_config else ''}:/etc/lastmile/startup" in node.settings["binds"]
