"""The report of the benchmark has verdicts, a table, and an exit code."""

from __future__ import annotations

import pytest

from tests.bench.proxy.report import Gap, Line, Sign, Target, exit_code, table, verdicts

FAST = Line("requests", "grant, x proxy", (3.0, 4.0, 9.0), "x", Target(">=", 3.5))
SLOW = Line("download", "1 GiB, x direct", (0.41, 0.5, 0.9), "x", Target(">=", 0.6))
ANCHOR = Line("requests", "proxy", (701.4, 690.0, 1710.0), "req/s")
GAP = Gap("tls", "The upstream did not start.")


@pytest.mark.parametrize(
    ("sign", "bound", "value", "met"),
    [
        (">=", 3.5, 3.5, True),
        (">=", 3.5, 3.49, False),
        ("<=", 1.0, 1.0, True),
        ("<=", 1.0, 1.01, False),
        ("<", 8.0, 7.99, True),
        ("<", 8.0, 8.0, False),
    ],
)
def test_a_bound_is_met_or_missed(sign: Sign, bound: float, value: float, met: bool) -> None:
    assert Target(sign, bound).is_met(value) is met


def test_the_median_decides_and_not_the_mean() -> None:
    assert Line("p", "w", (1.0, 2.0, 99.0), "x", Target(">=", 3)).verdict == "MISSED"


def test_a_line_without_a_target_has_no_verdict() -> None:
    assert ANCHOR.verdict == ""


def test_the_table_shows_median_and_spread_of_each_line() -> None:
    assert table([FAST, SLOW, ANCHOR, GAP]).splitlines() == [
        "part      measured           target       median       lowest     highest  verdict",
        "--------  ---------------  --------  -----------  -----------  ----------  -------",
        "requests  grant, x proxy   >= 3.5 x       4.00 x       3.00 x      9.00 x  met",
        "download  1 GiB, x direct  >= 0.6 x       0.50 x       0.41 x      0.90 x  MISSED",
        "requests  proxy                      701.4 req/s  690.0 req/s  1710 req/s",
        "tls: not measured. The upstream did not start.",
    ]


def test_the_last_words_name_what_was_missed() -> None:
    assert verdicts([FAST, SLOW, ANCHOR, GAP]).splitlines() == [
        "1 of 2 targets are met.",
        "Missed: download, 1 GiB, x direct: 0.50 x",
        "Not measured, which counts as missed: tls.",
    ]


@pytest.mark.parametrize(("entries", "code"), [([FAST, ANCHOR], 0), ([FAST, SLOW], 1), ([FAST, GAP], 1), ([ANCHOR], 0)])
def test_the_exit_code_is_one_if_a_target_is_missed_or_unknown(entries: list[Line | Gap], code: int) -> None:
    assert exit_code(entries) == code
