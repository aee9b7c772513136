"""The statistics, tables and bookkeeping of bench/: what no run would notice if it were wrong."""

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

from harness import peers, prepare, report, scenarios, stats  # noqa: E402


def rows_of(program, figures, key="cpu_us", scenario="keepalive", why=""):
    return [{"scenario": scenario, "round": number, "program": program, "why": why, key: figure}
            for number, figure in enumerate(figures, 1)]


# --- medians and intervals

def test_median_interval_holds_the_median_of_noisy_values():
    draw = random.Random(7)
    values = [draw.gauss(100, 10) for _ in range(51)]
    interval = stats.median_interval(values)
    assert interval.low < interval.middle < interval.high
    assert interval.low < 100 < interval.high
    assert interval.count == 51


def test_interval_covers_the_true_median_about_as_often_as_it_says():
    draw = random.Random(11)
    covered = 0
    for _ in range(200):
        interval = stats.median_interval([draw.gauss(1, 0.1) for _ in range(9)], resamples=400)
        covered += interval.low <= 1 <= interval.high
    assert 176 <= covered < 200  # 88 % at least; always would mean that it says nothing


def test_interval_is_the_same_each_time():
    values = [1.0, 1.2, 0.9, 1.1, 1.05, 0.97, 1.3]
    random.seed(1)
    first = stats.median_interval(values)
    random.seed(2)
    assert stats.median_interval(values) == first


def test_interval_stays_within_the_values_and_one_outlier_does_not_move_the_median():
    interval = stats.median_interval([1, 1, 1, 1, 1, 1, 1, 1, 50])
    assert (interval.middle, interval.low) == (1, 1)
    assert interval.high <= 50


def test_five_values_are_too_few_for_an_interval_and_six_are_not():
    assert stats.median_interval([1, 2, 3, 4, 5]) == stats.Interval(3, None, None, 5)
    assert stats.median_interval([1, 2, 3, 4, 5, 6]).low is not None


def test_no_values_no_interval():
    assert stats.median_interval([]) is None


# --- pairs

def test_ratios_are_taken_within_a_round_only():
    assert stats.paired_ratios({1: 2.0, 2: 9.0, 4: 3.0}, {1: 4.0, 3: 1.0, 4: 2.0}) == [0.5, 1.5]


def test_pairing_cancels_a_slow_round():
    slow = [1, 1, 3, 1, 5, 1, 1, 2, 1]
    left = {number: 8.0 * factor for number, factor in enumerate(slow)}
    right = {number: 10.0 * factor for number, factor in enumerate(slow)}
    interval = stats.compare(left, right)
    assert interval.middle == pytest.approx(0.8)
    assert interval.high - interval.low < 1e-9


def test_a_round_without_cost_is_no_pair():
    assert stats.paired_ratios({1: 1.0}, {1: 0.0}) == []
    assert stats.compare({1: 1.0}, {2: 1.0}) is None


def test_the_better_peer_has_the_lower_median():
    assert stats.better({"nginx": {1: 9, 2: 10, 3: 50}, "haproxy": {1: 11, 2: 12, 3: 11}}) == "nginx"
    assert stats.better({"nginx": {}, "haproxy": {1: 11}}) == "haproxy"
    assert stats.better({"nginx": {}}) is None


# --- rows and tables

def test_rounds_with_errors_are_not_used_but_listed():
    rows = rows_of("weft", [8.0] * 9) + rows_of("nginx", [10.0] * 9)
    rows[2]["why"] = "3 broken"
    rows[2]["cpu_us"] = 1000.0
    text = report.section(scenarios.SCENARIOS["keepalive"], rows, ["weft", "nginx"], "")
    assert "Round 3 of weft is not used: 3 broken." in text
    assert "8/9" in text and "1,000" not in text
    ratio = next(line for line in text.splitlines() if line.startswith("| weft / nginx"))
    assert "0.800" in ratio and ratio.rstrip(" |").endswith("8")


@pytest.mark.parametrize("weft, verdict", [
    ([8.0] * 9, "met"),
    ([12.0] * 9, "missed"),
    ([8.0, 12.0, 8.0, 12.0, 9.0, 12.0, 8.0, 12.0, 9.0], "the median meets it, the interval includes it"),
    ([8.0] * 3, "not enough rounds"),
])
def test_target_against_the_better_peer(weft, verdict):
    rows = rows_of("weft", weft) + rows_of("nginx", [10.0] * 9) + rows_of("haproxy", [20.0] * 9)
    text = report.section(scenarios.SCENARIOS["keepalive"], rows, ["weft", "nginx", "haproxy"], "")
    assert f"at most 1 of the better peer's: {verdict}." in text
    assert "weft / nginx (the better peer)" in text


def test_the_limit_is_never_the_better_peer():
    rows = rows_of("weft", [8.0] * 9) + rows_of("nginx", [10.0] * 9) + rows_of("limit", [5.0] * 9)
    text = report.section(scenarios.SCENARIOS["keepalive"], rows, ["weft", "nginx", "limit"], "")
    assert "better peer's: met." in text
    assert any(line.startswith("| weft / limit ") and "1.600" in line for line in text.splitlines())


def test_growth_is_judged_by_its_greatest_round():
    rows = rows_of("weft", [0.1, 0.1, 2.5], key="growth_mb", scenario="bulk")
    text = report.section(scenarios.SCENARIOS["bulk"], rows, ["weft"], "")
    assert "peak RSS growth MB at most 2: missed." in text
    assert "2.50" in text


@pytest.mark.parametrize("more, verdict", [(1.5, "met, 1.50"), (2.5, "missed, 2.50")])
def test_what_sight_costs_is_a_difference(more, verdict):
    base = [10.0, 12.0, 11.0, 10.5, 13.0, 10.2]
    rows = rows_of("weft", [value + more for value in base], scenario="sight") + rows_of("blind", base, scenario="sight")
    text = report.section(scenarios.SCENARIOS["sight"], rows, ["weft", "blind"], "")
    assert f"CPU us/request at most 2 more than blind: {verdict} " in text


def test_a_program_without_a_good_round_has_no_figures():
    rows = rows_of("weft", [8.0] * 9, why="1 refused") + rows_of("nginx", [10.0] * 9)
    text = report.section(scenarios.SCENARIOS["keepalive"], rows, ["weft", "nginx"], "")
    line = next(line for line in text.splitlines() if line.startswith("| weft "))
    assert "0/9" in line and "8.00" not in line


def test_merge_replaces_sections_and_keeps_the_others_in_order():
    order = ["keepalive", "close", "idle"]
    first = report.merge("", {"idle": "## idle\n\nold\n", "keepalive": "## keepalive\n\nold\n"}, order)
    second = report.merge(first, {"close": "## close\n\nnew\n", "idle": "## idle\n\nnew\n"}, order)
    assert second.startswith("# Results")
    assert second.count("## ") == 3
    assert second.index("## keepalive\n\nold") < second.index("## close\n\nnew") < second.index("## idle\n\nnew")


def test_a_raw_row_has_every_column_and_each_measure_has_one():
    assert report.tsv({"scenario": "idle", "bytes_each": 1.5}).count("\t") == len(report.COLUMNS) - 1
    for scenario in scenarios.SCENARIOS.values():
        assert {measure.key for measure in scenario.measures} <= set(report.COLUMNS)
        assert {target.key for target in scenario.targets} <= {measure.key for measure in scenario.measures}


# --- rounds

def test_everyone_is_first_equally_often():
    names = ["weft", "nginx", "haproxy"]
    orders = [scenarios.rotated(names, number) for number in range(9)]
    for place in range(3):
        assert all([order[place] for order in orders].count(name) == 3 for name in names)


def test_errors_of_the_client_are_put_in_words():
    clean = "ok=5 total=7 failed=0 refused=0 broken=0 closed=0 stuck=0 late=0"
    assert scenarios.complaints(scenarios.read_report(clean)) == ""
    assert scenarios.complaints(scenarios.read_report(clean.replace("stuck=0", "stuck=2"))) == "2 stuck"
    assert scenarios.complaints(scenarios.read_report(clean.replace("total=7", "total=0"))) == "no answers"


def test_idle_connections_leave_room_for_the_forwarder():
    assert scenarios.idle_connections(20_000, with_limit=False) == 10_000
    assert scenarios.idle_connections(20_000, with_limit=True) == 9_500
    with pytest.raises(scenarios.BenchError):
        scenarios.idle_connections(1_024, with_limit=False)


# --- configurations and packages

class Counting:
    def take(self):
        return 18_080


@pytest.mark.parametrize("write", [peers.weft_yaml, peers.nginx_conf, peers.haproxy_cfg])
def test_every_program_is_told_all_origins_and_whether_to_log(tmp_path, write):
    bench = peers.Bench(directory=tmp_path, programs=tmp_path, weft=None, proxy_cpu=0, client_cpu=1,
                        descriptors=20_000, ports=Counting(), origins=[19_001, 19_002, 19_003])
    quiet, logging = write(bench, 18_123, False), write(bench, 18_123, True)
    for port in (18_123, 19_001, 19_002, 19_003):
        assert f"127.0.0.1:{port}" in quiet
    assert quiet != logging


def test_missing_packages_are_installed_without_starting_their_services(tmp_path, monkeypatch):
    policy, ran = tmp_path / "policy-rc.d", []

    def run(command, **how):
        if "sh" in command:
            policy.touch()
        elif "rm" in command:
            policy.unlink()
        ran.append((" ".join(command), policy.exists()))

    monkeypatch.setattr(prepare, "POLICY", policy)
    monkeypatch.setattr(prepare.shutil, "which", lambda name: None if name == "nginx" else f"/usr/sbin/{name}")
    monkeypatch.setattr(prepare.subprocess, "run", run)
    prepare.install_missing(["weft", "nginx", "haproxy"])
    installs = [(command, held) for command, held in ran if "apt-get install" in command]
    assert len(installs) == 1
    assert installs[0][0].endswith(" nginx-light") and installs[0][1]
    assert not policy.exists()
