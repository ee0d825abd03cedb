"""What runs on others' machines: nothing that may change under its name, nothing missing."""

import re
import tomllib
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


def test_the_pythons_that_are_told_are_those_that_are_taken() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    first, after = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", project["requires-python"]).groups()
    told = re.findall(r"Python :: 3\.(\d+)", " ".join(project["classifiers"]))
    assert [int(minor) for minor in told] == list(range(int(first), int(after)))
    for script in ("setup.sh", "bundle.sh"):
        text = (ROOT / "tools" / script).read_text("utf-8")
        assert f"(3, {first}) <= sys.version_info < (3, {after})" in text
    assert f"(Python 3.{first} to 3.{int(after) - 1} and" in (ROOT / "README.md").read_text("utf-8")
