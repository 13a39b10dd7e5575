"""What Helm makes of the chart with some values, as documents that tests can look into."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.chart.tools import ROOT, helm, output_of

FOLDER = ROOT / "config" / "helm"
CHART = FOLDER / "jupyter-oidc-broker"
EXAMPLE = FOLDER / "broker-values.yaml"
FULL = Path(__file__).with_name("values") / "full.yaml"
KUBERNETES = "1.31.0"
"""The version that templates are told; without a cluster Helm takes the one that it was built with."""

Document = dict[str, Any]


@dataclass
class Rendered:
    """The documents that the chart makes of some values."""

    documents: list[Document]

    def of_kind(self, kind: str) -> list[Document]:
        """Return the documents of this kind."""
        return [one for one in self.documents if one["kind"] == kind]

    def named(self, kind: str, name: str) -> Document:
        """Return the only document of this kind and name."""
        (found,) = [one for one in self.of_kind(kind) if one["metadata"]["name"] == name]
        return found

    @property
    def deployment(self) -> Document:
        """The broker."""
        (found,) = self.of_kind("Deployment")
        return found

    @property
    def job(self) -> Document:
        """The migration."""
        (found,) = self.of_kind("Job")
        return found

    @property
    def pods(self) -> list[Document]:
        """The templates of all pods."""
        return [one["spec"]["template"] for one in (self.deployment, self.job)]

    def settings_of(self, pod: Mapping[str, Any]) -> Any:
        """Return the settings file that the ``pod`` mounts."""
        (volume,) = [one for one in pod["spec"]["volumes"] if one["name"] == "settings"]
        return json.loads(self.named("ConfigMap", volume["configMap"]["name"])["data"]["broker.json"])


def text_of(values: Path, *more: str) -> str:
    """Return the manifests that the chart makes of ``values``."""
    return output_of(
        [str(helm()), "template", "oidc", str(CHART), "--kube-version", KUBERNETES, "--values", str(values), *more]
    )


def rendered(text: str) -> Rendered:
    """Return the documents in ``text``."""
    return Rendered([one for one in yaml.safe_load_all(text) if one is not None])
