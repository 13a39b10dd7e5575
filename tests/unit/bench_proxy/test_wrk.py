"""The benchmark reads rates and errors from the output of wrk."""

from __future__ import annotations

import pytest

from tests.bench.proxy.report import NotMeasured
from tests.bench.proxy.wrk import Load, read, script

PRINTED = """Running 1s test @ http://127.0.0.1:8080/x
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     9.87ms    1.20ms  20.11ms   91.00%
    Req/Sec     1.62k   120.00     1.80k    70.00%
  Latency Distribution
     50%    9.50ms
     75%   10.02ms
     90%   11.30ms
     99%   14.90ms
  1622 requests in 1.00s, 2.10MB read
{errors}Requests/sec:   1620.75
Transfer/sec:      2.09MB
"""


def test_rate_and_latencies_are_read() -> None:
    assert read(PRINTED.format(errors="")) == Load(1622, 1620.75, 9.5, 14.9)


@pytest.mark.parametrize(
    ("shown", "milliseconds"), [("950.00us", 0.95), ("9.50ms", 9.5), ("1.20s", 1200.0), ("1.00m", 60_000.0)]
)
def test_every_unit_of_wrk_becomes_milliseconds(shown: str, milliseconds: float) -> None:
    assert read(PRINTED.format(errors="").replace("9.50ms", shown)).p50 == pytest.approx(milliseconds)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("  Non-2xx or 3xx responses: 1622\n", "1622 requests of wrk were answered with an error."),
        (
            "  Socket errors: connect 0, read 3, write 0, timeout 1\n",
            "Connections of wrk broke: connect 0, read 3, write 0, timeout 1.",
        ),
    ],
)
def test_a_sample_with_failed_requests_is_worth_nothing(line: str, reason: str) -> None:
    with pytest.raises(NotMeasured) as caught:
        read(PRINTED.format(errors=line))
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    "text",
    ["", PRINTED.format(errors="").replace("99%", "98%"), PRINTED.format(errors="").replace("1622 requests in", "")],
)
def test_output_that_is_not_understood_is_no_sample(text: str) -> None:
    with pytest.raises(NotMeasured, match="not understood"):
        read(text)


def test_headers_become_lines_of_a_script() -> None:
    assert script({"Authorization": 'token "x"', "Accept": "*/*"}) == (
        'wrk.headers["Authorization"] = "token \\"x\\""\nwrk.headers["Accept"] = "*/*"\n'
    )
