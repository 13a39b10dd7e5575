"""What the product does not show yet: the one list of rows whose tests are expected to fail.

Strictly so: as soon as a row is built its tests go green, the run fails, and the row has to be taken out here.
"""

from __future__ import annotations

from typing import Final

import pytest

NOT_YET: Final = {
    "C1 empty-segments": "a segment that is empty without its parameters passes",
    "C1 overlong-utf8": "escapes that are no UTF-8 pass",
    "C1 reparsed-delimiters": "a dot segment before an escaped ? or # passes",
    "C1 unicode-look-alikes": "dots and slashes in compatibility characters pass",
    "C3 414": "an overlong query is answered with 431",
    "C3 token with blanks": "Jupyter's token goes up when the parameter has blanks around it",
    "C6 a hostile path": "100 Continue comes before the refusal",
    "C8 latin-1": "a header value beyond ASCII goes up in another encoding than it came",
    "C10 own origin": "a redirect can lead a call into Jupyter's own API",
    "C10 scheme": "a redirect to javascript: or data: is passed on",
    "C10 two locations": "two Location headers are passed on",
    "C11 other prompts": "Digest, Negotiate, NTLM, and Basic after another challenge, are passed on",
    "C14 connect timeout": "is no setting",
    "C15": "the limits are no settings, and not for the whole head",
    "C16": "an upload may stop for ever",
    "C17 early answer": "an answer waits for the end of the upload",
    "C17 limit": "there is none",
    "C18 metric": "is not counted",
    "C18 upload to a deaf API": "the call goes on when the client has left, and its place is lost",
    "C19 metric": "is not counted",
    "C20 a flood of interim answers": "is read to its end",
    "C20 an encoding that nobody knows": "is taken for none",
    "C20 an upgrade that nobody asked for": "comes down as 101",
    "C20 chunks that are not last": "are taken for no framing at all",
    "C20 eleven interim answers": "are read to their end",
    "C23 the X- family": "comes down as a whole",
    "C25": "a token in a header of an answer is not taken out",
    "C27": "no WebSockets",
    "C28": "no queue with an end",
    "C29 one host": "two APIs on one host share a pool",
    "C34": "a name may lead inside",
    "C35 407": "no proxy is used at all",
    "C35 issuer name": "is not said",
}
"""Row, and what happens instead."""


def mark(row: str) -> list[pytest.MarkDecorator]:
    """Return the marks for a parameter that shows ``row``: that it fails, as long as the row is in the list."""
    return [_failing(row)] if row in NOT_YET else []


def row(name: str) -> pytest.MarkDecorator:
    """Decorate a test that shows the row ``name``."""
    return _failing(name)


def _failing(row: str) -> pytest.MarkDecorator:
    return pytest.mark.xfail(row in NOT_YET, strict=True, reason=f"{row}: not yet, {NOT_YET.get(row, '')}")
