"""The layers of DESIGN hold: faces, knowledge_base, pipelines, ports, domain; adapters beside pipelines."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "src" / "curio_rag"
MODULES = sorted(PACKAGE.rglob("*.py"))

MAY_IMPORT = {
    "errors": set[str](),
    "config": {"errors", "domain"},
    "domain": {"domain", "errors"},
    "ports": {"domain", "errors"},
    "pipelines": {"pipelines", "ports", "domain", "errors"},
    "adapters": {"adapters", "ports", "domain", "errors"},
    "assembly": {"adapters", "pipelines", "ports", "domain", "errors", "config"},
    "evaluation": {"assembly", "adapters", "pipelines", "ports", "domain", "errors", "config"},
    "knowledge_base": {
        "evaluation",
        "review_desk",
        "assembly",
        "adapters",
        "pipelines",
        "ports",
        "domain",
        "errors",
        "config",
    },
    "desk_assembly": {"assembly", "adapters", "pipelines", "ports", "domain", "errors", "config"},
    "review_desk": {"desk_assembly", "assembly", "adapters", "pipelines", "ports", "domain", "errors", "config"},
    "faces": {
        "faces",
        "knowledge_base",
        "review_desk",
        "evaluation",
        "pipelines",
        "ports",
        "domain",
        "errors",
        "config",
    },
    "__main__": {"faces"},
    "__init__": {"knowledge_base", "config", "domain", "errors"},
}
WITHOUT_LIBRARIES = {
    "errors",
    "config",
    "domain",
    "ports",
    "pipelines",
    "assembly",
    "desk_assembly",
    "evaluation",
    "knowledge_base",
    "review_desk",
}


def layer_of(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(module: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.name} imports relatively"
            names.add(node.module or "")
    return names


def _name(module: Path) -> str:
    return module.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("module", MODULES, ids=_name)
def test_each_layer_imports_only_what_lies_below(module: Path) -> None:
    """A module imports its own layer and those that the design lets it know."""
    allowed = MAY_IMPORT[layer_of(module)]
    used = {name.split(".")[1] for name in imports_of(module) if name.startswith("curio_rag.")}
    assert used <= allowed, f"{_name(module)} imports {sorted(used - allowed)}"
    assert "curio_rag" not in imports_of(module), "an import through the package root makes cycles"


@pytest.mark.parametrize("module", MODULES, ids=_name)
def test_the_core_is_free_of_libraries(module: Path) -> None:
    """Domain, ports and pipelines use the standard library alone; rfc8785 in digests.py is the one exception."""
    if layer_of(module) not in WITHOUT_LIBRARIES:
        return
    foreign = {name.split(".")[0] for name in imports_of(module)} - sys.stdlib_module_names - {"curio_rag"}
    assert foreign <= ({"rfc8785"} if module.name == "digests.py" else set())


@pytest.mark.parametrize("module", MODULES, ids=_name)
def test_modules_stay_readable(module: Path) -> None:
    """No module is longer than 400 lines, and no folder lies deeper than one below the package."""
    assert len(module.read_text(encoding="utf-8").splitlines()) <= 400
    assert len(module.relative_to(PACKAGE).parts) <= 2
