"""The user pastes the whole address of the answer (A32), and no other text is accepted."""

from __future__ import annotations

import pytest

from jupyter_oidc.problems import ResponseMalformed
from jupyter_oidc.protocol.pasted import read_pasted
from jupyter_oidc.secret import Secret
from tests.support.marker import MARKER

URI = "http://127.0.0.1/cb"
CODE = f"{MARKER}code"
ANSWER = f"{URI}?code={CODE}&state=s-1"
FIELDS = [("code", CODE), ("state", "s-1")]


@pytest.mark.parametrize(
    "text",
    [
        ANSWER,
        f"  {ANSWER}\r\n",
        f"<{ANSWER}>",
        f'"{ANSWER}"',
        f"http://127.0.0.1:80/cb?code={CODE}&state=s-1",
        f"{ANSWER}#",
        f"{ANSWER}#_=_",
    ],
)
def test_the_whole_address_is_taken_apart_whatever_way_it_was_copied(text: str) -> None:
    """A32: blanks around the address are removed."""
    assert read_pasted(Secret(text), URI) == FIELDS


def test_a_repeated_parameter_is_kept_for_the_judge_of_answers() -> None:
    """A8: A contradictory or doubled answer is refused."""
    assert read_pasted(Secret(f"{ANSWER}&code=second"), URI) == [*FIELDS, ("code", "second")]


@pytest.mark.parametrize(
    "text",
    [
        CODE,
        f"code={CODE}&state=s-1",
        f"?code={CODE}&state=s-1",
        f"https://127.0.0.1/cb?code={CODE}&state=s-1",
        f"http://127.0.0.1:8888/cb?code={CODE}&state=s-1",
        f"http://localhost/cb?code={CODE}&state=s-1",
        f"http://127.0.0.1/cb/x?code={CODE}&state=s-1",
        f"http://127.0.0.1/CB?code={CODE}&state=s-1",
        f"http://evil@127.0.0.1/cb?code={CODE}&state=s-1",
        f"http://127.0.0.1@evil.example/cb?code={CODE}&state=s-1",
        f"http://127.0.0.1\\@evil.example/cb?code={CODE}&state=s-1",
        f"http://127.0.0.1:99999/cb?code={CODE}",
        f"http://[::1/cb?code={CODE}",
        f"{URI}?code={CODE}\n&state=s-1",
        f"{URI}?code={CODE} &state=s-1",
        f"{URI}?code=\u202e{CODE}",
        f"{URI}?code={CODE}&state=" + "s" * 9000,
        f"{URI}?" + "&".join(f"a{number}=1" for number in range(60)),
        f"javascript:alert('{CODE}')",
        "",
        " ",
        "<>",
        "\x00",
        "http://",
    ],
)
def test_anything_else_is_refused_and_not_repeated(text: str) -> None:
    """A32: the URL form is required, another server's address is refused, and the code is never echoed."""
    with pytest.raises(ResponseMalformed) as caught:
        read_pasted(Secret(text), URI)
    refused = caught.value
    assert (refused.detail, URI in refused.action) == ("paste.address", True)
    assert CODE not in refused.message + refused.action + repr(refused)
    assert refused.__context__ is None
