"""A real SLURM of one node on the loopback, in a container without systemd; needs root, and installs what is missing."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
MailProg=/bin/true
ReturnToService=2
SchedulerParameters=sched_interval=1,batch_sched_delay=0
SlurmdParameters=config_overrides
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=8000 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES State=UP
"""


class Slurm:
    """A SLURM that lives as long as the ``with`` block; `env` lets commands find it.

    Parameters
    ----------
    folder : Path
        Where its configuration, state and logs go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.env = {"SLURM_CONF": str(folder / "slurm.conf")}

    def __enter__(self) -> Slurm:
        install()
        for name in ("state", "spool"):
            (self._folder / name).mkdir()
        host = socket.gethostname().partition(".")[0]
        ports = free_ports(2)
        (self._folder / "slurm.conf").write_text(
            CONFIGURATION.format(host=host, folder=self._folder, controller_port=ports[0], node_port=ports[1])
        )
        self._started: list[subprocess.Popen] = []
        try:
            self._start_munge()
            self._start("slurmctld", "-D")
            self._start("slurmd", "-D", "-N", host)
            self._wait_until("the node is idle", lambda: "idle" in self.run("sinfo", "--noheader", "-o", "%t"))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.run("scancel", "--user=root")
        for process in reversed(self._started):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def run(self, *command: str) -> str:
        """Run a command of SLURM; gives what it says."""
        done = subprocess.run(command, env={**os.environ, **self.env}, capture_output=True, text=True, timeout=30)
        return done.stdout

    def jobs(self) -> list[str]:
        """Ids of the jobs that run."""
        return self.run("squeue", "--noheader", "--states=RUNNING", "-o", "%i").split()

    def log(self) -> str:
        """What its processes have said."""
        return "\n".join(f"== {path.name}\n{path.read_text()[-3000:]}" for path in sorted(self._folder.glob("*.log")))

    def _start_munge(self) -> None:
        key, socket_path = self._folder / "munge.key", self._folder / "munge.socket"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        files = {"key-file": key, "socket": socket_path}
        files |= {f"{kind}-file": self._folder / f"munge.{kind}" for kind in ("pid", "log", "seed")}
        options = [f"--{name}={path}" for name, path in files.items()]
        self._start("munged", "--foreground", "--force", *options)
        self._wait_until("munge listens", socket_path.exists)

    def _start(self, *command: str) -> None:
        with open(self._folder / f"{command[0]}.out.log", "w") as log:
            self._started.append(subprocess.Popen(command, env={**os.environ, **self.env}, stdout=log, stderr=log))

    def _wait_until(self, what, holds) -> None:
        until = time.monotonic() + 30
        while not holds():
            assert time.monotonic() < until, f"waited in vain until {what}\n{self.log()}"
            time.sleep(0.2)


def install() -> None:
    """Install SLURM from Debian's packages where it is missing."""
    if all(map(shutil.which, ("slurmctld", "slurmd", "munged"))):
        return
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-q"], check=True, env=env, stdout=subprocess.DEVNULL)
    command = ["apt-get", "install", "-q", "-y", "--no-install-recommends", "slurm-wlm", "munge"]
    subprocess.run(command, check=True, env=env, stdout=subprocess.DEVNULL)


def free_ports(count: int) -> list[int]:
    """Find ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
