"""The reward as verl finds and calls it: by the package's own loader and its own reward manager's
call. verl itself, with ray and tensordict, is not imported: its files are read
($MWPBENCH_VERL, a folder with verl's wheel unpacked)."""

import ast
import importlib.util
import os
import pathlib
import sys

import pytest

import mwpbench.verl


@pytest.fixture(scope="module")
def verl():
    folder = os.environ.get("MWPBENCH_VERL")
    if not folder:
        pytest.skip("NOT RUN: needs verl's wheel, unpacked, in $MWPBENCH_VERL")
    return pathlib.Path(folder) / "verl"


@pytest.mark.parametrize("path", ["pkg://mwpbench.verl", mwpbench.verl.__file__])
def test_its_loader_finds_the_function(verl, path):
    spec = importlib.util.spec_from_file_location("loader", verl / "utils/import_utils.py")
    loader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loader)
    found = loader.load_extern_object(module_path=path, object_name="compute_score")
    assert found("math", "The answer is 0.5.", "\\frac{1}{2}") == 1.0
    assert "ray" not in sys.modules


@pytest.mark.parametrize(
    "file",
    [
        "experimental/reward_loop/reward_manager/naive.py",
        "experimental/reward_loop/reward_manager/dapo.py",
        "workers/reward_manager/naive.py",
        "workers/reward_manager/dapo.py",
    ],
)
def test_its_managers_call_fits(verl, file):
    import inspect

    path = verl / file
    if not path.is_file():
        pytest.skip(f"NOT RUN: this verl has no {file}")
    calls = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "compute_score"
    ]
    if not calls:
        pytest.skip(f"NOT RUN: {file} calls no compute_score of its own")
    for call in calls:
        named = {keyword.arg: None for keyword in call.keywords if keyword.arg}
        inspect.signature(mwpbench.verl.compute_score).bind(*call.args, **named)
        assert {"data_source", "solution_str", "ground_truth"} <= set(named)
