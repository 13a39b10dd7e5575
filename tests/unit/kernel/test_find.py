"""Which server a kernel belongs to, and what it can prove itself with: files and variables, good and bad."""

import json
import os

import pytest

from jupyter_oidc.kernel.errors import NotAKernel, ServerNotFound
from jupyter_oidc.kernel.find import Kernel, Server, _runtime_file, find_kernel, find_server


@pytest.fixture
def runtime(tmp_path, monkeypatch):
    """Write runtime files of process 4711, whose child we are."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("JPY_PARENT_PID", "4711")

    def write(content, name="jpserver-4711.json"):
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / name).write_text(text, encoding="utf-8")

    return write


def test_the_runtime_file_of_the_parent_process_names_the_server(runtime):
    runtime({"url": "http://localhost:8888/"})
    assert find_server().url == "http://localhost:8888/"


def test_the_base_url_is_part_of_the_server(runtime):
    runtime({"url": "http://localhost:8888/user/ada/lab/"})
    assert find_server().url == "http://localhost:8888/user/ada/lab/"


def test_a_missing_last_slash_is_added(runtime):
    runtime({"url": "http://localhost:8888/user/ada"})
    assert find_server().url == "http://localhost:8888/user/ada/"


def test_an_ipv6_address_keeps_its_brackets(runtime):
    runtime({"url": "http://[::1]:8888/"})
    assert find_server().origin == "http://[::1]:8888"


def test_the_token_of_the_runtime_file_goes_nowhere(runtime):
    runtime({"url": "http://localhost:8888/?token=s3cr3t", "token": "s3cr3t"})
    assert "s3cr3t" not in repr(find_server())


@pytest.mark.parametrize("hostname", ["0.0.0.0", "*", ""])
def test_a_server_that_listens_everywhere_is_called_on_loopback(runtime, hostname):
    runtime({"url": "http://box.example.com:8888/base/", "hostname": hostname})
    assert find_server().url == "http://127.0.0.1:8888/base/"


def test_a_server_on_every_ipv6_address_is_called_on_loopback(runtime):
    runtime({"url": "http://box.example.com:8888/", "hostname": "::"})
    assert find_server().url == "http://[::1]:8888/"


def test_a_server_that_listens_everywhere_with_https_keeps_the_name_of_its_certificate(runtime):
    runtime({"url": "https://box.example.com:8888/", "hostname": "0.0.0.0"})
    assert find_server().url == "https://box.example.com:8888/"


def test_a_server_found_by_its_process_is_on_this_machine_whatever_its_name(runtime):
    runtime({"url": "http://box.example.com:8888/", "hostname": "box.example.com"})
    assert find_server().is_local is True


def test_the_certificate_stands_in_a_file_beside_the_runtime_file(runtime, tmp_path):
    runtime({"url": "https://localhost:8888/"})
    runtime({"certificate": str(tmp_path / "server.pem")}, "jupyter-oidc-4711.json")
    assert find_server().certificate == tmp_path / "server.pem"


@pytest.mark.parametrize("content", ["{", "[]", '{"certificate": null}', '{"certificate": 5}'])
def test_a_damaged_certificate_file_counts_as_none(runtime, content):
    runtime({"url": "https://localhost:8888/"})
    runtime(content, "jupyter-oidc-4711.json")
    assert find_server().certificate is None


def test_the_variable_wins_over_the_runtime_file(runtime, monkeypatch):
    runtime({"url": "http://localhost:8888/"})
    monkeypatch.setenv("JUPYTER_OIDC_URL", "https://hub.example.com/user/ada/")
    assert find_server().url == "https://hub.example.com/user/ada/"


def test_a_server_named_by_the_variable_may_be_behind_a_proxy(monkeypatch, tmp_path):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("JUPYTER_OIDC_URL", "https://hub.example.com/user/ada/")
    assert find_server().is_local is False


def test_an_address_pasted_with_token_user_and_fragment_is_stripped_to_the_server(monkeypatch):
    monkeypatch.setenv("JUPYTER_OIDC_URL", " http://ada:pw@LocalHost:8888/base?token=s3cr3t#top ")
    assert find_server().url == "http://localhost:8888/base/"


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8888",
        "ftp://localhost/",
        "http://",
        "http://[::1",
        "http://localhost:port/",
        "http+unix://%2Ftmp%2Fs",
    ],
)
def test_an_address_that_is_no_web_address_is_not_a_server(monkeypatch, url):
    monkeypatch.setenv("JUPYTER_OIDC_URL", url)
    with pytest.raises(ServerNotFound):
        find_server()


@pytest.mark.parametrize("content", ["", "{", "[]", '"http://localhost/"', "{}", '{"url": null}', '{"url": 5}'])
def test_a_broken_runtime_file_is_no_server(runtime, content):
    runtime(content)
    with pytest.raises(ServerNotFound):
        find_server()


def test_a_runtime_file_that_is_not_text_is_no_server(runtime, tmp_path):
    (tmp_path / "jpserver-4711.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ServerNotFound):
        find_server()


def test_a_missing_runtime_file_is_no_server(runtime):
    with pytest.raises(ServerNotFound):
        find_server()


def test_the_runtime_file_of_another_server_is_not_taken(runtime):
    runtime({"url": "http://localhost:9999/"}, "jpserver-12.json")
    with pytest.raises(ServerNotFound):
        find_server()


@pytest.mark.parametrize("parent", ["", "../4711", "4711/../4711", "-1"])
def test_a_parent_that_is_no_process_id_is_no_server(runtime, monkeypatch, parent):
    runtime({"url": "http://localhost:8888/"})
    monkeypatch.setenv("JPY_PARENT_PID", parent)
    with pytest.raises(ServerNotFound):
        find_server()


def test_who_finds_no_server_is_told_what_to_set(runtime):
    with pytest.raises(ServerNotFound, match="set JUPYTER_OIDC_URL to the server's address"):
        find_server()


def test_where_the_parent_is_a_handle_the_parent_process_is_taken(tmp_path):
    own = {"url": "http://localhost:8888/"}
    (tmp_path / f"jpserver-{os.getppid()}.json").write_text(json.dumps(own), encoding="utf-8")
    (tmp_path / "jpserver-12.json").write_text("{}", encoding="utf-8")
    assert _runtime_file(tmp_path, by_handle=True) == (str(os.getppid()), own)


def test_where_the_parent_is_a_handle_the_only_server_is_taken(tmp_path):
    only = {"url": "http://localhost:8888/"}
    (tmp_path / "jpserver-12.json").write_text(json.dumps(only), encoding="utf-8")
    assert _runtime_file(tmp_path, by_handle=True) == ("12", only)


def test_where_the_parent_is_a_handle_no_server_is_guessed_among_several(tmp_path):
    for process in (12, 13):
        (tmp_path / f"jpserver-{process}.json").write_text('{"url": "http://localhost:1/"}', encoding="utf-8")
    assert _runtime_file(tmp_path, by_handle=True)[1] == {}


def test_without_a_named_folder_the_runtime_file_lies_beside_the_connection_file(connection_file, monkeypatch):
    monkeypatch.setenv("JPY_PARENT_PID", "4711")
    (connection_file.parent / "jpserver-4711.json").write_text('{"url": "http://localhost:8888/"}', encoding="utf-8")
    assert find_server().url == "http://localhost:8888/"


def test_without_a_connection_file_the_data_folder_is_searched(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("JPY_PARENT_PID", "4711")
    (tmp_path / "runtime").mkdir()
    (tmp_path / "runtime/jpserver-4711.json").write_text('{"url": "http://localhost:8888/"}', encoding="utf-8")
    assert find_server().url == "http://localhost:8888/"


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost:8888/", True),
        ("http://127.0.0.1:8888/", True),
        ("http://127.1.2.3:8888/", True),
        ("http://[::1]:8888/", True),
        ("http://10.0.0.1:8888/", False),
        ("http://localhost.example.com/", False),
        ("http://127.0.0.1.example.com/", False),
    ],
)
def test_only_loopback_is_local(url, local):
    assert Server(url).is_local is local


def test_the_connection_file_gives_the_kernel_id_and_the_key(connection_file):
    assert find_kernel() == Kernel("5e3c8f9a-0b1d-4c2e-8f7a-6d5b4c3a2918", b"a0b1c2d3-connection-key")


def test_the_key_does_not_show_in_the_kernel_repr(connection_file):
    assert "a0b1c2d3" not in repr(find_kernel())


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"key": ""}', '{"key": 5}'])
def test_a_connection_file_without_a_key_makes_no_kernel(connection_file, content):
    connection_file.write_text(content, encoding="utf-8")
    with pytest.raises(NotAKernel):
        find_kernel()


def test_a_connection_file_that_is_not_named_after_a_kernel_makes_no_kernel(tmp_path, monkeypatch):
    (tmp_path / "conn.json").write_text('{"key": "k"}', encoding="utf-8")
    monkeypatch.setenv("JUPYTER_OIDC_CONNECTION_FILE", str(tmp_path / "conn.json"))
    with pytest.raises(NotAKernel):
        find_kernel()


def test_a_missing_connection_file_makes_no_kernel(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_OIDC_CONNECTION_FILE", str(tmp_path / "kernel-gone.json"))
    with pytest.raises(NotAKernel):
        find_kernel()


def test_a_plain_python_process_is_told_where_to_run(monkeypatch):
    with pytest.raises(NotAKernel, match="Run this in a notebook, or set JUPYTER_OIDC_CONNECTION_FILE"):
        find_kernel()
