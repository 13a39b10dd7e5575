"""Read one order and one OpenAPI document from standard input, write the answer to standard output, line by line.

The first line of the input is the order, ``{"base_url", "document_url"}``; the rest is the document.
The first line of the answer is ``{"document", "problems", "operations_more"}`` or ``{"fault", "fault_sentences"}``;
an operation a line follows.
The arguments are the limits of memory (bytes) and processor time (seconds), and the folders with the modules: the
interpreter starts without any (``-I -S``), so that it reads no environment, no ``.pth`` file and no working folder.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_oidc.language import Sentence


def main() -> None:
    """Carry out the order."""
    memory_bytes, cpu_seconds, *folders = sys.argv[1:]
    _limit(int(memory_bytes), int(cpu_seconds))
    sys.path += folders
    from jupyter_oidc.language import on_the_wire, sentence
    from jupyter_oidc.openapi_reader.document import Fault, parsed
    from jupyter_oidc.openapi_reader.operations import read_operations

    def unreadable(fault: Sentence) -> dict[str, Any]:
        return {"fault": fault, "fault_sentences": on_the_wire(fault)}

    order = json.loads(sys.stdin.buffer.readline())
    try:
        head, *operations = read_operations(parsed(sys.stdin.buffer.read()), order["base_url"], order["document_url"])
    except Fault as fault:
        head, operations = unreadable(fault.fault), []
    except MemoryError:
        head, operations = unreadable(sentence("it needs too much memory to be read")), []
    except RecursionError:
        head, operations = unreadable(sentence("it is nested too deeply")), []
    for line in (head, *operations):
        sys.stdout.write(json.dumps(line) + "\n")


def _limit(memory_bytes: int, cpu_seconds: int) -> None:
    """Limit memory and processor time where the operating system can, and write no core file."""
    try:
        import resource
    except ImportError:  # Windows has no such limits; the server ends a process that takes too long
        return
    for limit, value in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 64 * 1024 * 1024),
    ):
        try:
            _, hard = resource.getrlimit(limit)
            chosen = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(limit, (chosen, chosen))
        except (ValueError, OSError):  # macOS knows no limit of the address space
            continue


if __name__ == "__main__":
    main()
