"""What a worker does in the check, as the source that a notebook and its workers run.

A notebook runs it as its own cell, so that an engine that pickles functions sends them whole; a process that imports
them finds the same file beside the notebook.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def reads(_: int = 0) -> tuple[int, str]:
    """Call the API; return the process id, and the status or the name of the error."""
    import os

    import jupyter_oidc as oidc

    try:
        return os.getpid(), str(oidc.api("orders").get("items", timeout=10).status_code)
    except Exception as error:
        return os.getpid(), type(error).__name__


def oversteps(_: int = 0) -> list[str]:
    """Try what a grant does not open; return the status or the name of the error of each."""
    import jupyter_oidc as oidc

    def said(call: Callable[[], Any]) -> str:
        try:
            return str(getattr(call(), "status_code", "done"))
        except Exception as error:
            return type(error).__name__

    return [
        said(lambda: oidc.api("plans").get("items")),
        said(lambda: oidc.api("orders").delete("items")),
        said(lambda: oidc.sign_out("corp")),
        said(lambda: oidc.session("corp")),
        said(lambda: oidc.delegate("orders")),
    ]


def reads_for(seconds: float) -> list[str]:
    """Call twice a second for ``seconds``; return the different statuses and errors."""
    import time

    seen, until = set[str](), time.monotonic() + seconds
    while time.monotonic() < until:
        seen.add(reads()[1])
        time.sleep(0.5)
    return sorted(seen)


def seconds_until_refused(most: float) -> float:
    """Call until a call fails; return after how many seconds, or ``most`` if none does."""
    import time

    began = time.monotonic()
    while time.monotonic() - began < most:
        if reads()[1] != "200":
            return time.monotonic() - began
        time.sleep(0.1)
    return most


def keeps(first: str, second: str) -> int:
    """Keep both parts as one text, which nothing but this process has had; return how much is kept."""
    import sys

    sys.modules["__main__"].__dict__.setdefault("kept", []).append(first + second)
    return len(first + second)


READ = ["2", "2", "52.5", "3", "2", "Hello there."]
"""What :func:`by_libraries` returns."""


def by_libraries(_: int = 0) -> list[str]:
    """Read the same by each library of the documentation's recipes."""
    import fsspec
    import httpx
    import pandas as pd
    import requests
    from openai import DefaultHttpxClient, OpenAI
    from pyarrow import csv

    import jupyter_oidc as oidc

    files, models = oidc.auth("files"), oidc.auth("models")
    url, headers = oidc.endpoint("files")
    with httpx.Client(auth=files, base_url=files.base_url, trust_env=False) as client:
        by_httpx = client.get("items").json()
    by_requests = requests.get(files.base_url + "items", auth=files, timeout=30).json()
    by_pandas = pd.read_csv(url + "orders.csv", storage_options=headers)
    with fsspec.open(url + "files/measurements.bin", headers=headers, block_size=65536) as file:
        file.seek(254)
        piece = file.read(1)
    with fsspec.open(url + "orders.csv", headers=headers) as file:
        table = csv.read_csv(file)
    openai = OpenAI(base_url=models.base_url, api_key=models.api_key, http_client=DefaultHttpxClient(trust_env=False))
    said = openai.chat.completions.create(model="small", messages=[{"role": "user", "content": "Hello?"}], stream=True)
    answer = "".join(chunk.choices[0].delta.content or "" for chunk in said)
    read = [len(by_httpx), len(by_requests), by_pandas["price"].sum(), piece[0], table.num_rows]
    return [*map(str, read), answer]
