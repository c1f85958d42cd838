"""Figures for a monitoring system: gauges, each with labelled values."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One gauge."""

    name: str
    says: str
    labels: tuple[str, ...] = ()
    values: Mapping[tuple[str, ...], float]  # by the values of the labels
