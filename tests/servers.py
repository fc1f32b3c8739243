"""Servers to copy to, on this machine: Debian's sshd, and moto's S3."""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def ssh_server(folder: Path):
    """Run sshd for this user, with keys of its own; gives what ssh's configuration says of it."""
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    port = free_port()
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder / 'host'}\nPidFile none\n"
        f"AuthorizedKeysFile {folder / 'user.pub'}\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
        "PermitRootLogin yes\nSubsystem sftp internal-sftp\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    server = subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "config"], stderr=subprocess.DEVNULL)
    try:
        wait_for(port, server)
        yield f"    HostName 127.0.0.1\n    Port {port}\n    User {getpass.getuser()}"
    finally:
        server.kill()
        server.wait()


@contextlib.contextmanager
def s3_server():
    """Run moto's S3, with one bucket; gives its URL."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port, server)
        url = f"http://127.0.0.1:{port}"
        urllib.request.urlopen(urllib.request.Request(f"{url}/bucket", method="PUT")).close()
        yield url
    finally:
        server.kill()
        server.wait()


def wait_for(port, server, patience=60):
    give_up = time.monotonic() + patience
    while time.monotonic() < give_up:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert server.poll() is None, "the server has ended"
        time.sleep(0.1)
    raise AssertionError("the server does not answer")
