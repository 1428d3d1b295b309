"""Slow twins of the aggregates: one interval at a time, from fine steps or plain loops."""

from __future__ import annotations

from itertools import pairwise

import numpy as np


def bound(when, times, values, usable, *, stepped):
    """Interpolated bound by scanning all values; None before the first usable one."""
    at = [i for i in range(len(times)) if usable[i] and times[i] == when]
    if at:
        return values[at[0]]
    before = [i for i in range(len(times)) if usable[i] and times[i] < when]
    after = [i for i in range(len(times)) if usable[i] and times[i] > when]
    if not before:
        return None
    i = before[-1]
    if stepped or not after:
        return values[i]
    j = after[0]
    share = (when - times[i]) / (times[j] - times[i])
    return values[i] + share * (values[j] - values[i])


def time_average(start, end, times, values, usable, *, stepped):
    """TimeAverage of one interval: trapezoids or steps between all usable values in it."""
    points = [(start, bound(start, times, values, usable, stepped=stepped))]
    points += [
        (t, v) for t, v, ok in zip(times, values, usable, strict=True) if ok and start < t < end
    ]
    points.append((end, bound(end, times, values, usable, stepped=stepped)))
    points = [(t, v) for t, v in points if v is not None]
    area = duration = 0.0
    for (t0, v0), (t1, v1) in pairwise(points):
        area += (t1 - t0) * (v0 if stepped else 0.5 * (v0 + v1))
        duration += t1 - t0
    return area / duration if duration else np.nan
