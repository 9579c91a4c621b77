import numpy as np
import pytest

from worldloom.bench.stats import Histogram, bucket_quantile


@pytest.mark.parametrize("share", [1, 50, 90, 99, 100])
def test_percentiles_of_a_histogram_are_those_of_the_values_to_a_bin(share):
    values = np.random.default_rng(4).gamma(2.0, 20.0, 5_000)
    histogram = Histogram()
    histogram.add(values[:1_000])
    histogram.add(values[1_000:])
    assert len(histogram) == 5_000
    assert histogram.percentile(share) == pytest.approx(
        np.percentile(values, share, method="higher"), abs=0.11
    )


def test_an_empty_histogram_has_percentiles_of_zero():
    assert Histogram().percentile(99) == 0.0


def test_what_is_out_of_range_counts_at_the_ends():
    histogram = Histogram()
    histogram.add(np.array([-1.0, 1e9]))
    assert (histogram.percentile(50), histogram.percentile(100)) == (0.1, 20_000.1)


def test_a_quantile_is_linear_within_its_bucket():
    bounds, counts = [0.01, 0.02, float("inf")], [50.0, 90.0, 100.0]
    assert bucket_quantile(bounds, counts, 0.25) == pytest.approx(0.005)
    assert bucket_quantile(bounds, counts, 0.7) == pytest.approx(0.015)
    assert bucket_quantile(bounds, counts, 0.99) == pytest.approx(0.02)
    assert bucket_quantile([], [], 0.99) == 0.0
