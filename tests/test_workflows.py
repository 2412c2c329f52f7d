"""What runs on a code host: `make test` on each pull request, and once a week on the newest versions of everything."""

from pathlib import Path

import yaml

WORKFLOWS = Path(__file__).resolve().parent.parent / ".github" / "workflows"


def read(name: str) -> tuple[dict, list[str], dict]:
    """What starts a workflow, the commands of its one job, and that job."""
    found = yaml.safe_load((WORKFLOWS / name).read_text(encoding="utf-8"))
    (job,) = found["jobs"].values()
    return found[True], [step["run"] for step in job["steps"] if "run" in step], job  # YAML reads `on` as a truth


def test_pull_requests_are_tested_with_the_pinned_versions():
    starts, commands, _ = read("test.yml")
    assert "pull_request" in starts and commands == ["make lint", "make test"]


def test_the_weekly_run_takes_no_pins():
    starts, commands, job = read("newest.yml")
    assert len(starts["schedule"][0]["cron"].split()) == 5 and starts["schedule"][0]["cron"].split()[4] == "1"
    assert commands[0] == "make install CONSTRAINTS="
    assert commands[-2:] == [
        "make test CONSTRAINTS=",
        "make test-scale CONSTRAINTS=",
    ]
    assert job["env"]["PIP_UPGRADE_STRATEGY"] == "eager"
    makefile = (WORKFLOWS.parent.parent / "Makefile").read_text(encoding="utf-8")
    assert makefile.count("constraints.txt") == 4  # the variable, and what three stamps depend on


def test_no_workflow_may_write():
    for path in WORKFLOWS.glob("*.yml"):
        assert yaml.safe_load(path.read_text(encoding="utf-8"))["permissions"] == {"contents": "read"}
