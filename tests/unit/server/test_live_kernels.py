"""``LiveKernels`` asks any kind of kernel manager which kernels live, and never answers by an error."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tornado.web import HTTPError

from jupyter_oidc.server.live_kernels import LiveKernels


class Manager:
    """Know one kernel, and raise ``error`` for all others."""

    def __init__(self, kernel: Any = None, error: Exception | None = None) -> None:
        self.kernel = kernel
        self.error = error or KeyError("no such kernel")

    def get_kernel(self, kernel_id: str) -> Any:
        if kernel_id == "k1" and self.kernel is not None:
            return self.kernel
        raise self.error


def kernel(**changed: Any) -> SimpleNamespace:
    parts = {"has_kernel": True, "execution_state": "idle", "session": SimpleNamespace(key=b"secret"), **changed}
    return SimpleNamespace(**{name: value for name, value in parts.items() if value is not None})


def test_a_live_kernel_has_a_key() -> None:
    kernels = LiveKernels(Manager(kernel()))
    assert (kernels.run_of("k1") is not None, kernels.key_of("k1")) == (True, b"secret")


@pytest.mark.parametrize("error", [KeyError("k2"), HTTPError(404)], ids=repr)
def test_one_that_nobody_knows_does_not_live(error: Exception) -> None:
    kernels = LiveKernels(Manager(kernel(), error))
    assert (kernels.run_of("k2"), kernels.key_of("k2")) == (None, None)


@pytest.mark.parametrize("gone", [{"has_kernel": False}, {"has_kernel": None}, {"execution_state": "dead"}], ids=str)
def test_one_that_has_ended_does_not_live(gone: dict[str, Any]) -> None:
    kernels = LiveKernels(Manager(kernel(**gone)))
    assert (kernels.run_of("k1"), kernels.key_of("k1")) == (None, None)


@pytest.mark.parametrize("session", [None, SimpleNamespace(key=b""), SimpleNamespace()], ids=str)
def test_one_without_a_key_can_prove_nothing(session: Any) -> None:
    assert LiveKernels(Manager(kernel(session=session))).key_of("k1") is None


def test_a_restart_is_another_run_of_the_same_kernel() -> None:
    """Q8.12: the id and the key stay, the process does not."""
    process, next_process = object(), object()
    running = kernel(provisioner=SimpleNamespace(process=process))
    kernels = LiveKernels(Manager(running))
    assert kernels.run_of("k1") is process
    running.provisioner.process = next_process
    assert kernels.run_of("k1") is next_process


def test_a_kernel_whose_manager_knows_no_process_is_its_own_run() -> None:
    running = kernel()
    assert LiveKernels(Manager(running)).run_of("k1") is running
