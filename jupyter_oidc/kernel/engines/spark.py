"""Lets the executors of a Spark application call APIs: ``oidc.spark.configure(SparkSession.builder, "orders")``.

The grant comes to the Python workers by the environment of their executors. Spark's web interface and its event log
show the configuration, of which they redact this part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from jupyter_oidc.kernel.delegation import granted

if TYPE_CHECKING:
    from typing_extensions import Self

    from jupyter_oidc.kernel.delegation import WorkerGrant

REDACTED: Final = "(?i)secret|password|token|access[.]?key|api[.]?key"
"""What Spark redacts by itself: a regular expression of Java for the names of entries."""


class _Builder(Protocol):
    """The part of ``pyspark.sql.SparkSession.Builder`` that is used here."""

    def config(self, key: str, value: str) -> Self:
        """Set one entry of the configuration."""
        ...


_B = TypeVar("_B", bound=_Builder)


def configure(builder: _B, *apis: str | WorkerGrant, redacted: str = REDACTED, **wish: Any) -> _B:
    """Return the ``builder``, by whose executors ``oidc.api()`` in a Python function calls with a grant.

    ``apis`` and ``wish`` are those of :func:`jupyter_oidc.delegate`, whose errors it raises, or one grant of yours.
    ``redacted`` becomes ``spark.redaction.regex``, together with the name of the grant's own entry.
    """
    for name, text in granted(apis, {"name": "Spark", **wish}).environment().items():
        redacted = f"(?:{redacted})|{name}"
        builder = builder.config(f"spark.executorEnv.{name}", text)
    return builder.config("spark.redaction.regex", redacted)
