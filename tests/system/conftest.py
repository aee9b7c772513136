import pathlib
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from loading import Tools, compile_programs  # noqa: E402
from running import System  # noqa: E402


@pytest.fixture
def system():
    """A system in a folder of its own (short: unix sockets' paths are), which leaves no process behind."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="weft-"))
    it = System(folder)
    try:
        yield it
    finally:
        left, log = it.end(), it.log()
        shutil.rmtree(folder, ignore_errors=True)
    assert not left, f"processes left behind: {left}"
    for word in ["Sanitizer", "runtime error", "panic"]:
        assert word not in log


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    """The programs of load/, compiled as they stand: never with a sanitizer, whatever the build under test has."""
    return compile_programs(tmp_path_factory.mktemp("load"))


@pytest.fixture
def tools(programs, system):
    return Tools(programs, system)
