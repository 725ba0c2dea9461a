"""The distributions are those of scipy.stats, to the bit, and a board needs nothing else of it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
from scipy import stats

from benchmark.statistics.distributions import chi2_quantile, normal_tail, t_quantile, t_tail

RNG = np.random.default_rng(0)
DF = np.concatenate([RNG.uniform(0.5, 60, 2000), [1, 2, 3, 1e6, np.inf]])
VALUES = RNG.standard_t(3, len(DF)) * 2
SHARES = RNG.uniform(0, 1, len(DF))


def test_they_are_those_of_scipy_stats() -> None:
    np.testing.assert_array_equal(t_tail(VALUES, DF), stats.t.sf(VALUES, DF))
    np.testing.assert_array_equal(t_quantile(SHARES, DF), stats.t.ppf(SHARES, DF))
    finite = np.isfinite(DF)
    np.testing.assert_array_equal(chi2_quantile(SHARES[finite], DF[finite]), stats.chi2.ppf(SHARES[finite], DF[finite]))
    np.testing.assert_array_equal(normal_tail(VALUES), stats.norm.sf(VALUES))


def test_statistics_are_imported_without_scipy_stats() -> None:
    code = "import sys, benchmark.statistics, leaderboard.board; sys.exit('scipy.stats' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
