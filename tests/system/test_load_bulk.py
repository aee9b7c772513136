"""Large bodies: nothing is lost, and no memory is taken that grows with them."""
import pytest

from loading import KIB, MIB, SANITIZED, status

SIZE = 1024 * MIB if not SANITIZED else 64 * MIB
GROWTH_MAX = 2 * MIB


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("way", ["up", "down"])
def test_one_gibibyte(system, tools, way, framing):
    tools.up(scale=1, workers=1)
    serving = system.serving()
    for warm_up in ["up", "down"]:
        tools.bulk(warm_up, framing, KIB)
    before = status(serving, "VmRSS")
    tools.bulk(way, framing, SIZE)
    growth = status(serving, "VmHWM") - before
    print("growth of the peak:", growth)
    if not SANITIZED:
        assert growth <= GROWTH_MAX, f"{growth} bytes"
