"""The statistics of the benchmarks: medians, paired ratios, and how sure they are.

Machines are noisy: the same cell differs by up to 40 % from round to round, and slow minutes hit whatever runs in them.
So two programs are only compared within a round, and the median of the rounds' ratios is what counts. Its interval is a
percentile bootstrap with a fixed seed: the same rows always give the same figures.
"""

import random
from dataclasses import dataclass
from statistics import median

SEED = 20240229
RESAMPLES = 10_000
CONFIDENCE = 0.95
# Of five rounds even the range from the least to the greatest covers the true median with 93.8 % only.
PAIRS_MIN = 6


@dataclass(frozen=True)
class Interval:
    """A median, and the bounds of its 95 % interval; the bounds are None when the rounds are too few for one."""

    middle: float
    low: float | None
    high: float | None
    count: int


def median_interval(values, seed=SEED, resamples=RESAMPLES):
    """The median of `values` with its bootstrap interval; None for no values at all."""
    values = list(values)
    if not values:
        return None
    if len(values) < PAIRS_MIN:
        return Interval(median(values), None, None, len(values))
    draw = random.Random(seed)
    medians = sorted(median(draw.choices(values, k=len(values))) for _ in range(resamples))
    tail = (1 - CONFIDENCE) / 2
    low = medians[int(tail * resamples)]
    high = medians[resamples - 1 - int(tail * resamples)]
    return Interval(median(values), low, high, len(values))


def paired_ratios(left, right):
    """left / right for every round that both have; both map a round's number to a positive figure."""
    return [left[number] / right[number] for number in sorted(left.keys() & right.keys()) if right[number] > 0]


def compare(left, right):
    """The median of the paired ratios with its interval; None when no round has both."""
    return median_interval(paired_ratios(left, right))


def better(series):
    """The name whose figures have the lowest median (lower is better); None when none has any."""
    medians = {name: median(rounds.values()) for name, rounds in series.items() if rounds}
    return min(medians, key=lambda name: (medians[name], name)) if medians else None
