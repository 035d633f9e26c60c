"""A containerlab that notes how it was called, and answers as the real one would: no containers, no root.

Tests put it on PATH under the tool's name. ``calls.jsonl`` beside it gets one line per call; a file there also tells
whether a lab is "deployed".
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import yaml

HERE = Path(os.environ["RECORDING_CONTAINERLAB"])


def main() -> int:
    """Answer one call."""
    verb, words = sys.argv[1], sys.argv[2:]
    call = {"words": [verb, *words], "base": os.environ.get("CLAB_LABDIR_BASE", "")}
    with (HERE / "calls.jsonl").open("a", encoding="utf-8") as calls:
        calls.write(json.dumps(call) + "\n")
    if (HERE / "fail").exists():
        sys.stderr.write("ERRO[0000] you are not in group clab_admins\n")
        return 1
    topology = yaml.safe_load(Path(words[words.index("-t") + 1]).read_text(encoding="utf-8"))
    answer = ANSWERS[verb](topology, words)
    if answer is not None:
        sys.stdout.write(json.dumps(answer))
    return 0


def deploy(topology: dict[str, Any], words: list[str]) -> None:
    """Remember which nodes run."""
    nodes = words[words.index("--node-filter") + 1].split(",")
    (HERE / topology["name"]).write_text("\n".join(nodes), encoding="utf-8")


def inspect(topology: dict[str, Any], words: list[str]) -> dict[str, Any]:
    """Answer with the containers of the remembered nodes."""
    del words
    deployed = HERE / topology["name"]
    nodes = deployed.read_text(encoding="utf-8").split("\n") if deployed.exists() else []
    name = topology["name"]
    return {
        name: [
            {"name": f"clab-{name}-{node}", "state": "running", "ipv4_address": f"172.20.20.{number}/24"}
            for number, node in enumerate(nodes, start=2)
        ]
    }


def execute(topology: dict[str, Any], words: list[str]) -> dict[str, Any]:
    """Answer with the command itself."""
    node = words[words.index("--label") + 1].partition("=")[2]
    command = words[words.index("--cmd") + 1]
    result = {"cmd": command.split(), "return-code": 3, "stdout": f"ran {command}\n", "stderr": ""}
    return {f"clab-{topology['name']}-{node}": [result]}


def save(topology: dict[str, Any], words: list[str]) -> None:
    """Write nothing."""
    del topology, words


def destroy(topology: dict[str, Any], words: list[str]) -> None:
    """Forget the nodes."""
    del words
    (HERE / topology["name"]).unlink(missing_ok=True)


ANSWERS = {"deploy": deploy, "inspect": inspect, "exec": execute, "save": save, "destroy": destroy}

if __name__ == "__main__":
    sys.exit(main())
