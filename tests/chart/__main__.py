"""Look at the Helm chart of the broker: ``python -m tests.chart``.

Helm lints and renders it, the types of Kubernetes read what comes out, rules look at what matters, and as root its pods
are run without Kubernetes. Exits with 1 if something is wrong.
"""

from __future__ import annotations

import copy
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from jupyter_oidc.demo.environment import free_port
from tests.chart.pod import tried
from tests.chart.rendered import CHART, EXAMPLE, FULL, rendered, text_of
from tests.chart.rules import RULES
from tests.chart.tools import MissingProgram, helm, kubernetes_types, output_of
from tests.support.postgres import PostgresNotFound

VALUES = {"the example": EXAMPLE, "every value": FULL}
REFUSED = {
    "two replicas": ("replicas=2", "replicas"),
    "SQLite": ("settings.JupyterOIDCBroker.database=sqlite:/tmp/sessions.sqlite", "database"),
    "a Unix socket": ("settings.JupyterOIDCBroker.listen=unix:/run/broker.sock", "listen"),
    "a key that is no reference": ("settings.JupyterOIDCBroker.key=word", "key"),
    "a word that is no value": ("replica=1", "replica"),
    "a service that the Hub has elsewhere": ("hub.serviceName=other", "hub.serviceName"),
}


def lint() -> Iterator[str]:
    """Yield what Helm finds wrong."""
    for values in (None, *VALUES.values()):
        try:
            output_of([str(helm()), "lint", "--strict", str(CHART), *(("--values", str(values)) if values else ())])
        except subprocess.CalledProcessError as error:
            yield error.stdout


def refusals() -> Iterator[str]:
    """Yield which wrong values pass."""
    for what, (said, word) in REFUSED.items():
        try:
            text_of(EXAMPLE, "--set", said)
        except subprocess.CalledProcessError as error:
            if word not in error.stderr:
                yield f"{what} is refused for another reason: {error.stderr}"
        else:
            yield f"{what} is not refused"


def types(folder: Path) -> Iterator[str]:
    """Yield which fields Kubernetes does not have."""
    many = text_of(EXAMPLE, "--set", "replicas=2", "--skip-schema-validation")
    if len(rendered(many).of_kind("PodDisruptionBudget")) != 1:
        yield "several replicas have no PodDisruptionBudget"
    texts = {"one": text_of(EXAMPLE), "full": text_of(FULL), "many": many}
    broken = {"broken": texts["one"].replace("backoffLimit", "backofLimit")}
    for name, text in {**texts, **broken}.items():
        file = folder / f"{name}.yaml"
        file.write_text(text, encoding="utf-8")
        done = subprocess.run([kubernetes_types(), file], capture_output=True, text=True, check=False)
        if (done.returncode != 0) != (name in broken):
            yield done.stdout or "a field that Kubernetes does not have was not noticed"


def rules() -> Iterator[tuple[str, list[str]]]:
    """Yield each rule, and what is against it."""
    for name, values in VALUES.items():
        made = rendered(text_of(values))
        for rule in RULES:
            broken = copy.deepcopy(made)
            rule.break_it(broken)
            findings = list(rule.check(made))
            if not list(rule.check(broken)):
                findings.append("the rule was broken, and did not notice it")
            yield f"{rule.name} ({name})", findings


def pods(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each step with the pods, and what went wrong."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        print("  - the pods are left out: they need Linux and root", flush=True)
        return
    try:
        for step, trouble in tried(folder, free_port()):
            yield step, [trouble] if trouble else []
    except PostgresNotFound as missing:
        print(f"  - the pods are left out: {missing}", flush=True)


def steps(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield every step, and what went wrong in it."""
    yield "helm lint --strict", list(lint())
    yield "wrong values are refused", list(refusals())
    yield "Kubernetes knows every field", list(types(folder))
    yield from rules()
    yield from pods(folder)


def main() -> int:
    """Look at everything; return the exit code."""
    failed = 0
    with tempfile.TemporaryDirectory(prefix="jupyter-oidc-chart-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        try:
            for step, findings in steps(folder):
                failed += bool(findings)
                print(
                    f"  {'✗' if findings else '✓'} {step}", *(f"      {one}" for one in findings), sep="\n", flush=True
                )
        except MissingProgram as missing:
            print(missing)
            return 1
    print(f"{failed} failed" if failed else "The chart is sound.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
