"""What runs on others' machines: nothing that may change under its name, nothing missing."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def test_actions_are_named_by_their_commit() -> None:
    used = [line for path in WORKFLOWS for line in re.findall(r"uses: (.*)", path.read_text())]
    assert used
    assert [
        line for line in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", line)
    ] == []


def test_the_workflow_installs_all_packages_that_the_setup_asks_for() -> None:
    setup = (ROOT / "tools" / "setup.sh").read_text()
    lists = re.findall(r'^\w+_PACKAGES="([^"$]+)"', setup, flags=re.MULTILINE)
    assert len(lists) == 2
    installed = (ROOT / ".github" / "workflows" / "test.yml").read_text().split()
    names = " ".join(lists).split()
    assert [name for name in names if name not in (word.strip("'") for word in installed)] == []


def test_no_run_is_allowed_to_fail() -> None:
    assert [path.name for path in WORKFLOWS if "continue-on-error" in path.read_text()] == []
