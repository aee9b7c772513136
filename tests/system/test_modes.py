"""What a system keeps beside its file is its owner's alone, whatever the umask, and may be damaged."""
import os
import stat

from running import ROOT, wait_until

SERVICE = f"/usr/bin/python3 {ROOT / 'tests/system/service.py'}"


def test_what_is_kept_is_the_owners_alone(system):
    system.write({"web": f"{{ run: sh -c 'echo hello; exec {SERVICE}', ready: /readyz }}"})
    before = os.umask(0)
    try:
        system.up().ready()
        system.weft("scale", "web=2", check=0)
    finally:
        os.umask(before)
    state = system.folder / ".weft"
    wait_until(lambda: (state / "logs/web.log").exists(), "the log")
    open_to_others = {str(path.relative_to(system.folder)): oct(path.lstat().st_mode)
                      for path in [state, *state.rglob("*")]
                      if stat.S_IMODE(path.lstat().st_mode) & 0o077 and not path.is_symlink()}
    assert {path.name for path in state.rglob("*")} >= {"control.sock", "logs", "web.log", "scale.json"}
    assert open_to_others == {}


def test_a_scale_that_was_cut_short_is_told_and_replaced(system):
    system.write({"web": f"{{ run: {SERVICE}, ready: /readyz }}"})
    (system.folder / ".weft").mkdir(mode=0o700)
    (system.folder / ".weft/scale.json").write_text('{"web":{"scale":3,"fi')
    system.up().ready()
    system.wait_log("scale.json can't be used")
    system.weft("scale", "web=2", check=0)
    assert (system.folder / ".weft/scale.json").read_text() == '{\n"web":{"scale":2,"file":1}\n}\n'
    assert not list((system.folder / ".weft").glob("scale.json.*"))
