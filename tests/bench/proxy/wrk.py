"""Runs wrk and reads its output.

Headers go in by a script that only this user can read, and not on the command line, where every user of the machine
could see them. An answer that is not 2xx or 3xx, or a broken connection, makes the whole sample worthless.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench.proxy.report import NotMeasured

_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
"""Milliseconds."""

_PERCENTILE = re.compile(r"^\s*(50|99)%\s+([\d.]+)(us|ms|s|m)\s*$", re.MULTILINE)
_REQUESTS = re.compile(r"^\s*(\d+) requests in ", re.MULTILINE)
_RATE = re.compile(r"^Requests/sec:\s+([\d.]+)\s*$", re.MULTILINE)
_REFUSED = re.compile(r"^\s*Non-2xx or 3xx responses: (\d+)", re.MULTILINE)
_BROKEN = re.compile(r"^\s*Socket errors: (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Load:
    """The figures of one run of wrk: requests, requests a second, and milliseconds that half and 99 % took at most."""

    requests: int
    rate: float
    p50: float
    p99: float


def read(text: str) -> Load:
    """Return the figures in the output of ``wrk --latency``; raises :class:`NotMeasured` if a request went wrong."""
    refused, broken = _REFUSED.search(text), _BROKEN.search(text)
    if refused:
        raise NotMeasured(f"{refused[1]} requests of wrk were answered with an error.")
    if broken:
        raise NotMeasured(f"Connections of wrk broke: {broken[1]}.")
    requests, rate = _REQUESTS.search(text), _RATE.search(text)
    latency = {share: float(number) * _UNITS[unit] for share, number, unit in _PERCENTILE.findall(text)}
    if requests is None or rate is None or latency.keys() != {"50", "99"}:
        raise NotMeasured("The output of wrk is not understood; wrk 4.1 or later is needed.")
    return Load(int(requests[1]), float(rate[1]), latency["50"], latency["99"])


def script(headers: Mapping[str, str]) -> str:
    """Return a script for wrk that sends ``headers`` with each request; it costs nothing while wrk runs."""
    return "".join(f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}\n" for name, value in headers.items())


@dataclass(frozen=True, slots=True)
class Wrk:
    """wrk with one thread; scripts are written into ``folder``."""

    folder: Path

    def run(self, url: str, headers: Mapping[str, str], *, connections: int, seconds: int) -> Load:
        """Call ``url`` on ``connections`` connections for ``seconds`` and return wrk's figures."""
        path = self.folder / "headers.lua"
        path.touch(mode=0o600)
        path.write_text(script(headers), encoding="utf-8")
        options = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout=10s", "--latency", "-s", str(path)]
        done = subprocess.run(["wrk", *options, url], capture_output=True, text=True, check=False, timeout=seconds + 60)
        if done.returncode:
            raise NotMeasured("wrk ended with an error: the server that it was to call does not listen, or ended.")
        return read(done.stdout)
