"""Forecasts by the exponentially weighted moving average: recent values count more than old ones."""

from collections.abc import Iterable


def ewma(values: Iterable[float], alpha: float) -> float:
    """Returns the average of at least one value; alpha in (0, 1] is the weight of the newest."""
    values = iter(values)
    average = next(values)
    for value in values:
        average += alpha * (value - average)
    return average


def forecast(closes: list[float], alpha: float) -> dict[str, float]:
    """Returns the next price expected: the last one moved by the average change of at least two."""
    changes = (new - old for old, new in zip(closes, closes[1:]))
    return {
        "last": closes[-1],
        "ewma": round(ewma(closes, alpha), 2),
        "forecast": round(closes[-1] + ewma(changes, alpha), 2),
    }
