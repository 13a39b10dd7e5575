"""What has to be true of everything that the chart makes; each rule says how it is broken, which proves that it can fail."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from jupyter_oidc.broker.accounts import WORK_SECONDS
from jupyter_oidc.broker.application import LIVE, READY
from jupyter_oidc.broker.configuration import DEFAULT_FILE
from jupyter_oidc.broker.hub_place import HubPlace, place_in
from jupyter_oidc.broker.running import CLOSE_SECONDS
from jupyter_oidc.sessions.registry import SHUTDOWN_TIMEOUT_SECONDS
from jupyter_oidc.sessions.service import CLOSE_TIMEOUT_SECONDS
from jupyter_oidc.settings import Settings, read_settings
from jupyter_oidc.settings.broker import BrokerSettings, read_broker_settings
from tests.chart.rendered import Document, Rendered

_HOST = re.compile(r"\b(?:[a-z0-9-]+\.)+(?:com|org|net|io|dev|sh|eu|de)\b")
_KNOWN_NAMES = re.compile(
    r"(?:[a-z0-9-]+\.)*(?:example\.com|kubernetes\.io|k8s\.io|helm\.sh|hub\.jupyter\.org|prometheus\.io)"
)
_SECRET_NAME = re.compile(r"TOKEN|SECRET|PASSWORD|KEY")
_CLOSING_SECONDS = WORK_SECONDS + CLOSE_TIMEOUT_SECONDS + SHUTDOWN_TIMEOUT_SECONDS + CLOSE_SECONDS + 10
"""Seconds for accounts and the database, and some to spare."""


@dataclass(frozen=True)
class Rule:
    """``check`` yields what is wrong; ``break_it`` makes something wrong."""

    name: str
    check: Callable[[Rendered], Iterator[str]]
    break_it: Callable[[Rendered], None]


def matches(selector: Document, pod: Document) -> bool:
    """Return whether the labels of ``pod`` are those of ``selector``."""
    return bool(selector) and selector.items() <= pod["metadata"]["labels"].items()


def _container(pod: Document) -> Any:
    (only,) = pod["spec"]["containers"]
    return only


def _is_closed(made: Rendered) -> Iterator[str]:
    for pod in made.pods:
        spec, inside = pod["spec"], _container(pod)["securityContext"]
        outside = spec["securityContext"]
        if not (outside["runAsNonRoot"] and outside["runAsUser"] and outside["runAsGroup"]):
            yield "a pod may run as root"
        if outside["seccompProfile"] != {"type": "RuntimeDefault"}:
            yield "a pod may make any system call"
        if spec["automountServiceAccountToken"] or spec["enableServiceLinks"]:
            yield "a pod gets a token of Kubernetes, or variables of its Services"
        if any(spec.get(key) for key in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace")):
            yield "a pod shares something of its machine"
        if any("hostPath" in volume for volume in spec["volumes"]):
            yield "a pod sees files of its machine"
        wanted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
        if inside != wanted:
            yield "a container may more than it needs"


def _opened(made: Rendered) -> None:
    _container(made.job["spec"]["template"])["securityContext"]["readOnlyRootFilesystem"] = False


def _no_secret(made: Rendered) -> Iterator[str]:
    if made.of_kind("Secret"):
        yield "the chart makes a Secret"
    for pod in made.pods:
        settings = made.settings_of(pod)
        # NOTE: the readers refuse whatever stands in the place of a reference.
        if not isinstance(read_broker_settings(settings["JupyterOIDCBroker"]), BrokerSettings):
            yield "the broker does not take its settings"
        if not isinstance(read_settings(settings["JupyterOIDC"]["providers"]), Settings):
            yield "the broker does not take its providers"
        for variable in _container(pod).get("env", []):
            if _SECRET_NAME.search(variable["name"]) and "secretKeyRef" not in variable.get("valueFrom", {}):
                yield f"the variable {variable['name']} holds its value"


def _told(made: Rendered) -> None:
    (said,) = [one for one in made.of_kind("ConfigMap") if not one["metadata"]["name"].endswith("-migration")]
    settings = json.loads(said["data"]["broker.json"])
    settings["JupyterOIDCBroker"]["database"] = "postgresql://broker:word@database.example.com/sessions"
    said["data"]["broker.json"] = json.dumps(settings)


def _is_asked(made: Rendered) -> Iterator[str]:
    container = _container(made.deployment["spec"]["template"])
    (port,) = container["ports"]
    for probe, path in (("startupProbe", LIVE), ("livenessProbe", LIVE), ("readinessProbe", READY)):
        if container[probe]["httpGet"] != {"path": path, "port": port["name"]}:
            yield f"the {probe} does not ask {path}"


def _asked_elsewhere(made: Rendered) -> None:
    _container(made.deployment["spec"]["template"])["readinessProbe"]["httpGet"]["path"] = "/ready"


def _is_reached(made: Rendered) -> Iterator[str]:
    broker, migration = made.pods
    settings = made.settings_of(broker)
    listen = urlsplit(settings["JupyterOIDCBroker"]["listen"]).port
    (opened,) = _container(broker)["ports"]
    (service,) = made.of_kind("Service")
    (offered,) = service["spec"]["ports"]
    if (opened["containerPort"], offered["port"], offered["targetPort"]) != (listen, listen, opened["name"]):
        yield "the Service leads to another port than the broker listens at"
    if not matches(service["spec"]["selector"], broker) or matches(service["spec"]["selector"], migration):
        yield "the Service does not find the broker alone"
    if made.deployment["spec"]["selector"]["matchLabels"].items() - broker["metadata"]["labels"].items():
        yield "the Deployment does not find its pods"
    policies = made.of_kind("NetworkPolicy")
    (ours,) = [one for one in policies if matches(one["spec"]["podSelector"]["matchLabels"], broker)]
    (theirs,) = [one for one in policies if matches(one["spec"]["podSelector"]["matchLabels"], migration)]
    if ours is theirs or theirs["spec"].get("ingress") or set(theirs["spec"]["policyTypes"]) != {"Ingress", "Egress"}:
        yield "the migration can be reached"
    (ingress,) = ours["spec"]["ingress"]
    if ingress["ports"] != [{"port": listen, "protocol": "TCP"}] or not ingress.get("from"):
        yield "the NetworkPolicy opens another port, or opens it to everybody"
    components = [one.get("podSelector", {}).get("matchLabels", {}).get("component") for one in ingress.get("from", [])]
    if components[:2] != ["proxy", "hub"]:
        yield "the Hub and its proxy do not reach the broker"
    if broker["metadata"]["labels"].get("hub.jupyter.org/network-access-hub") != "true":
        yield "the Hub does not let the broker in"


def _unreachable(made: Rendered) -> None:
    (service,) = made.of_kind("Service")
    service["spec"]["selector"]["app.kubernetes.io/component"] = "migration"


def _is_the_same(made: Rendered) -> Iterator[str]:
    broker, migration = made.pods
    if _container(broker)["image"] != _container(migration)["image"]:
        yield "broker and migration have different images"
    if made.settings_of(broker) != made.settings_of(migration):
        yield "broker and migration have different settings"
    for pod in made.pods:
        (mount,) = [one for one in _container(pod)["volumeMounts"] if one["name"] == "settings"]
        if mount != {"name": "settings", "mountPath": DEFAULT_FILE, "subPath": "broker.json", "readOnly": True}:
            yield "the settings are not mounted as one file where the broker looks for them"
    hooks = {one["metadata"].get("annotations", {}).get("helm.sh/hook") for one in made.of_kind("Job")}
    if hooks != {"pre-install,pre-upgrade"}:
        yield "the tables are not migrated before the broker starts"


def _other_image(made: Rendered) -> None:
    _container(made.job["spec"]["template"])["image"] += "-other"


def _names_examples(made: Rendered) -> Iterator[str]:
    for host in _HOST.findall(json.dumps(made.documents)):
        if not _KNOWN_NAMES.fullmatch(host):
            yield f"the host {host} is no example"


def _named(made: Rendered) -> None:
    made.deployment["metadata"]["annotations"] = {"see": "https://id.company.com"}


def _stops_in_time(made: Rendered) -> Iterator[str]:
    pod = made.deployment["spec"]["template"]
    drain = made.settings_of(pod)["JupyterOIDCBroker"]["drain_seconds"]
    if pod["spec"]["terminationGracePeriodSeconds"] < drain + _CLOSING_SECONDS:
        yield "the broker is killed before it has stopped"
    if made.deployment["spec"]["replicas"] > 1 or made.deployment["spec"]["strategy"] != {"type": "Recreate"}:
        yield "two brokers run at once"


def _killed(made: Rendered) -> None:
    made.deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 30


def _knows_the_hub(made: Rendered) -> Iterator[str]:
    pod = made.deployment["spec"]["template"]
    settings = read_broker_settings(made.settings_of(pod)["JupyterOIDCBroker"])
    told = {one["name"]: one.get("value", "from a Secret") for one in _container(pod)["env"]}
    place = place_in(settings, told) if isinstance(settings, BrokerSettings) else None
    if not isinstance(place, HubPlace):
        yield "the broker does not know its place at the Hub"
    elif (place.base, bool(place.has_user_hosts)) != (told["JUPYTERHUB_BASE_URL"], "JUPYTERHUB_HOST" in told):
        yield "the broker is told another place than its address in a browser"


def _without_hub(made: Rendered) -> None:
    pod = made.deployment["spec"]["template"]
    _container(pod)["env"] = [one for one in _container(pod)["env"] if one["name"] != "JUPYTERHUB_API_URL"]


def _finds_its_files(made: Rendered) -> Iterator[str]:
    for pod in made.pods:
        mounts = [one["mountPath"] for one in _container(pod)["volumeMounts"]]
        named = re.findall(r'"file:([^"]+)"', json.dumps(made.settings_of(pod)))
        needed = [path for path in named if pod is made.pods[0] or "/key/" not in path]
        for path in needed:
            if not any(path.startswith(f"{mount}/") for mount in mounts):
                yield f"nothing is mounted at {path}"
        volumes = {one["name"] for one in pod["spec"]["volumes"]}
        if {one["name"] for one in _container(pod)["volumeMounts"]} != volumes:
            yield "a volume is not mounted, or a mount has no volume"
    if any(one["name"] == "key" for one in made.pods[1]["spec"]["volumes"]):
        yield "the migration has the storage key, which it does not need"


def _without_files(made: Rendered) -> None:
    container = _container(made.deployment["spec"]["template"])
    container["volumeMounts"] = [one for one in container["volumeMounts"] if one["name"] != "clients"]


RULES = (
    Rule("pods are closed", _is_closed, _opened),
    Rule("no secret is written down", _no_secret, _told),
    Rule("probes ask the broker", _is_asked, _asked_elsewhere),
    Rule("the Hub and its proxy reach the broker, and nobody else", _is_reached, _unreachable),
    Rule("broker and migration are the same", _is_the_same, _other_image),
    Rule("hosts are examples", _names_examples, _named),
    Rule("the broker has time to stop, and is alone", _stops_in_time, _killed),
    Rule("the broker knows its place at the Hub", _knows_the_hub, _without_hub),
    Rule("files are where the settings name them", _finds_its_files, _without_files),
)
