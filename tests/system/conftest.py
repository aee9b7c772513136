import pathlib
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

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
