#!/usr/bin/env python3
"""A run in shards on a real Slurm, against the same run on one machine.

Starts munged, slurmctld and slurmd (Debian: `apt-get install slurmctld slurmd slurm-client munge`) for
this user's own use in a folder of its own, on ports of its own, with one node that is this machine.
Then: the run in one piece; an array of four shards, of which one is killed while it works and requeued;
the merged folder must have the files of the run in one piece, byte for byte but for the times.

    python3 tests/slurm/run.py --mwpbench target/debug/mwpbench

Exits 0 where it holds, 1 where it does not, 77 where Slurm is not installed or cannot be started here.
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SKIPPED = 77
SHARDS = 4
NEEDED = ["munged", "munge", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol"]
# Debian keeps the daemons where only root looks for them.
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"


class NotHere(Exception):
    """Slurm is not installed, or cannot run on this machine."""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(what, seconds, is_there):
    """Waits until `is_there` returns something; names `what` was waited for where it never does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = is_there()
        if found:
            return found
        time.sleep(0.2)
    raise TimeoutError(f"{what} did not come within {seconds} s")


class Slurm:
    """The daemons, in a folder of their own."""

    def __init__(self, folder, cpus):
        self.folder = folder
        self.daemons = []
        self.environment = {**os.environ, "PATH": PATH, "SLURM_CONF": str(folder / "slurm.conf")}
        for name in ("state", "spool", "munge"):
            (folder / name).mkdir(mode=0o755)
        self.configure(cpus)

    def configure(self, cpus):
        host = socket.gethostname().split(".")[0]
        user = "root" if os.getuid() == 0 else os.environ["USER"]
        sockets = self.folder / "munge"
        (self.folder / "slurm.conf").write_text(f"""\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={free_port()}
SlurmdPort={free_port()}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
# After a requeue a job waits until its credential has ended, two minutes by default.
AuthInfo=socket={sockets}/socket,cred_expire=5
StateSaveLocation={self.folder}/state
SlurmdSpoolDir={self.folder}/spool
SlurmctldPidFile={self.folder}/slurmctld.pid
SlurmdPidFile={self.folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobRequeue=1
KillWait=5
ReturnToService=2
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
""")

    def start(self):
        munge = self.folder / "munge"
        key = munge / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        self.spawn(["munged", "--foreground", "--force", f"--key-file={key}", f"--socket={munge}/socket",
                    f"--pid-file={munge}/pid", f"--log-file={munge}/log", f"--seed-file={munge}/seed"])
        try:
            wait_for("munged", 20, lambda: (munge / "socket").exists())
            self.spawn(["slurmctld", "-D", "-c"])
            self.spawn(["slurmd", "-D", "-c"])
            wait_for("an idle node", 60, lambda: "idle" in self.call("sinfo", "-h", "-o", "%t", check=False))
        except TimeoutError as error:
            logs = "\n".join(file.read_text(errors="replace")[-2000:] for file in sorted(self.folder.glob("*.log")))
            raise NotHere(f"{error}\n{logs}") from error

    def spawn(self, command):
        log = open(self.folder / f"{command[0]}.log", "wb")
        self.daemons.append(subprocess.Popen(command, env=self.environment, stdout=log, stderr=log))

    def call(self, *command, check=True):
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
        return done.stdout.strip()

    def stop(self):
        """Ends the daemons that were started here, the last one first."""
        self.call("scancel", "--user", str(os.getuid()), check=False)
        for daemon in reversed(self.daemons):
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()


def finished(folder):
    """Completions in the journal of a run or shard."""
    try:
        return (folder / "completions.jsonl").read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def files(run):
    """The files of a run, without the times in run.json."""
    found = {file.name: file.read_bytes() for file in run.iterdir()}
    manifest = found["run.json"].decode()
    found["run.json"] = re.sub(r'"(started|finished)": "[^"]*"', r'"\1": "-"', manifest).encode()
    return found


def array(slurm, plan, folder, mwpbench):
    """Submits the shards, kills one while it works, requeues it, and waits for all."""
    script = folder / "array.sh"
    command = " ".join([mwpbench, *plan, "--shard", "slurm", "--output-dir", str(folder / "shards")])
    script.write_text(f"#!/bin/bash\n#SBATCH --requeue\n#SBATCH --open-mode=append\nexec {command}\n")
    job = slurm.call("sbatch", "--parsable", f"--array=1-{SHARDS}", f"--output={folder}/task-%a.log", str(script))

    def working():
        """A shard that has begun and has some way to go."""
        for task in range(1, SHARDS + 1):
            shard = folder / "shards" / f"shard-{task}-of-{SHARDS}"
            if 0 < finished(shard) and json.loads((shard / "run.json").read_text())["finished"] is None:
                return task
        return None

    task = wait_for("a shard at work", 120, working)
    shard = folder / "shards" / f"shard-{task}-of-{SHARDS}"
    # Killed as by a machine that fails: nothing is put in order.
    slurm.call("scancel", "--full", "--signal=KILL", f"{job}_{task}")
    wait_for("the end of the killed task", 60, lambda: f"{job}_{task}" not in running(slurm))
    slurm.call("scontrol", "requeue", f"{job}_{task}")
    kept = finished(shard)
    if json.loads((shard / "run.json").read_text())["finished"] is not None:
        raise RuntimeError(f"shard {task} was finished before it was killed: nothing was tested")
    refused = subprocess.run([mwpbench, "merge", str(folder / "shards"), "--output-dir", str(folder / "early")],
                             capture_output=True, text=True)
    wanted = f"--shard {task}/{SHARDS}"
    if refused.returncode != 3 or wanted not in refused.stderr or (folder / "early").exists():
        raise RuntimeError(f"merge did not name the open shard with {wanted!r}: {refused.stderr}")
    print(f"task {task} was killed with {kept} completions and requeued")
    wait_for("the end of the array", 600, lambda: not slurm.call("squeue", "-h", "-j", job, check=False))
    restarted = int(re.search(r"Restarts=(\d+)", slurm.call("scontrol", "show", "job", f"{job}_{task}")).group(1))
    if restarted < 1 or finished(shard) <= kept:
        raise RuntimeError(f"task {task} was not started again ({restarted} restarts)")


def running(slurm):
    return slurm.call("squeue", "-h", "-r", "-t", "RUNNING,COMPLETING", "-o", "%F_%K").split()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mwpbench", required=True, help="the program")
    parser.add_argument("--limit", default="100", help="problems of each set")
    parser.add_argument("--max-tokens", default="512")
    arguments = parser.parse_args()
    missing = [name for name in NEEDED if not shutil.which(name, path=PATH)]
    if missing:
        print(f"Slurm is not installed: no {', '.join(missing)}")
        return SKIPPED
    mwpbench = str(Path(arguments.mwpbench).resolve())
    plan = ["eval", "--model", "demo", "--limit", arguments.limit, "--max-tokens", arguments.max_tokens, "--threads", "1", "--quiet"]
    with tempfile.TemporaryDirectory(prefix="mwpbench-slurm-") as name:
        folder = Path(name)
        os.environ["MWPBENCH_HOME"] = str(folder / "home")
        began = time.monotonic()
        slurm = Slurm(folder, cpus=2)
        try:
            slurm.start()
            subprocess.run([mwpbench, *plan, "--output-dir", str(folder / "one")], check=True, capture_output=True)
            array(slurm, plan, folder, mwpbench)
        except NotHere as error:
            print(f"Slurm cannot be started here: {error}")
            return SKIPPED
        except (RuntimeError, TimeoutError) as error:
            for log in sorted(folder.glob("*.log")):
                print(f"== {log.name}\n{log.read_text(errors='replace')[-1500:]}")
            print(f"FAILED: {error}")
            return 1
        finally:
            slurm.stop()
        merged = subprocess.run([mwpbench, "merge", str(folder / "shards"), "--output-dir", str(folder / "merged")],
                                capture_output=True, text=True)
        if merged.returncode != 0:
            print(f"FAILED: {merged.stderr}")
            return 1
        one, together = files(folder / "one"), files(folder / "merged")
        different = sorted(name for name in one.keys() | together.keys() if one.get(name) != together.get(name))
        if different:
            print(f"FAILED: the merged run differs from the run in one piece in {', '.join(different)}")
            return 1
        version = slurm.call("sbatch", "--version")
        items = finished(folder / "merged")
        print(f"{version}: {items} completions in {SHARDS} shards are those of one run "
              f"({', '.join(sorted(one))}), {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
