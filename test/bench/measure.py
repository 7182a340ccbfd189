"""measure: one server, one load against it, and what the server spent meanwhile.

CPU time is the kernel's own count of what the server's threads ran, in nanoseconds. Instructions,
system calls and allocations are counted exactly, as the difference between a longer and a shorter
run on one connection, in which start-up cancels. The heap is counted in each server's twin, which
has a counter before its malloc; see count_allocations.cc.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TOO_SLOW = 3  # the load's exit code when its patience ended


class TooSlow(Exception):
    """The server's answers were right, as far as they came."""


class Server:
    """One server process, from its readiness line to its end."""

    def __init__(self, command, core=None):
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: pin(core))
        line = self.process.stdout.readline()
        if not line.startswith("listening on"):
            self.process.kill()
            sys.exit(f"{command} did not start: {line}{self.process.stderr.read()}")
        self.port = line.rsplit(":", 1)[1].strip()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

    def stop(self):
        """Ends the server; returns what it, or the tool around it, still said on stderr."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.communicate(timeout=20)[1]
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.communicate()[1]

    def cpu_ns(self):
        """Of all its threads, and of its workers, where it has some."""
        return sum(map(cpu_ns_of, [self.process.pid, *children(self.process.pid)]))

    def allocations(self):
        """How often it has allocated, and how many bytes it holds."""
        self.process.send_signal(signal.SIGUSR1)
        words = self.process.stderr.readline().split()
        return int(words[1]), int(words[3])

    def heap_bytes(self):
        return self.allocations()[1]

    def private_dirty(self):
        rollup = read(f"/proc/{self.process.pid}/smaps_rollup")
        return int(re.search(r"Private_Dirty:\s+(\d+)", rollup).group(1)) * 1024


class Load:
    """The load program against one server: connected once this exists, started by run().

    The program bounds its own time, and so nothing here waits for ever.
    """

    program = None  # where it is: said once, before the first measurement

    def __init__(self, server, arguments, core=None):
        self.process = subprocess.Popen(
            [self.program, *arguments, "--port", server.port], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: pin(core))
        self.expect("connected")

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.kill()
        self.process.communicate()

    def run(self):
        """Runs the load to its end and returns the units that were done."""
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return int(self.expect("units").split()[1])

    def expect(self, word):
        line = self.process.stdout.readline()
        if line.startswith(word):
            return line
        problem = self.process.stderr.read()
        if self.process.wait() == TOO_SLOW:
            raise TooSlow()
        sys.exit(f"{' '.join(self.process.args)}: {line}{problem}")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def cpu_ns_of(pid):
    tasks = f"/proc/{pid}/task"
    return sum(int(read(f"{tasks}/{task}/schedstat").split()[0]) for task in os.listdir(tasks))


def children(pid):
    return read(f"/proc/{pid}/task/{pid}/children").split()


def pin(core):
    """The server on one core and the load on another, where there are two."""
    cores = sorted(os.sched_getaffinity(0))
    if core is not None and core < len(cores):
        os.sched_setaffinity(0, {cores[core]})


def twin(command):
    """The same server with a counter before its malloc; None where there is no twin."""
    directory, name = os.path.split(command[0])
    counted = f"{directory}/counted/{name}"
    return [counted, *command[1:]] if os.path.exists(counted) else None


# CPU time


def cpu_per_unit(command, arguments):
    """The server's nanoseconds for each unit of a load; TooSlow when it does not keep up."""
    with Server(command, core=0) as server, Load(server, arguments, core=1) as load:
        before = server.cpu_ns()
        units = load.run()
        return (server.cpu_ns() - before) / units


def cpu_while_idle(server, seconds):
    """The server's nanoseconds in each second in which nobody says anything."""
    before = server.cpu_ns()
    time.sleep(seconds)
    return (server.cpu_ns() - before) / seconds


# What repeats exactly


class Instructions:
    """Of user mode, by callgrind. An interpreter would take minutes to start under it."""

    title, needs = "instructions in user mode", "valgrind"

    @staticmethod
    def around(command, directory):
        if command[0].endswith(".py"):
            return None
        return ["valgrind", "--tool=callgrind", f"--callgrind-out-file={directory}/out", *command]

    @staticmethod
    def total(server, _):
        return int(re.search(r"Collected : (\d+)", server.stop()).group(1))


class SystemCalls:
    title, needs = "system calls", "strace"

    @staticmethod
    def around(command, directory):
        # -D: the server is our child and strace its guest, so that ending it ends both.
        return ["strace", "-D", "-f", "-c", "-U", "calls,name", "-o", f"{directory}/out", *command]

    @staticmethod
    def total(server, directory):
        server.stop()
        return int(re.search(r"(\d+)\s+total", wait_for_text(f"{directory}/out")).group(1))


class Allocations:
    title, needs = "allocations", "sh"

    @staticmethod
    def around(command, _):
        return twin(command)

    @staticmethod
    def total(server, _):
        return server.allocations()[0]


TOOLS = [tool for tool in (Instructions, SystemCalls, Allocations) if shutil.which(tool.needs)]


def wait_for_text(path):
    for _ in range(500):
        if os.path.exists(path) and "total" in read(path):
            return read(path)
        time.sleep(0.01)
    sys.exit(f"nothing was written to {path}")


def count_per_unit(tool, command, arguments, few, many):
    """What each unit costs by this tool; None where the tool cannot look."""
    totals = [count(tool, command, arguments, units) for units in (few, many)]
    return None if None in totals else (totals[1] - totals[0]) / (many - few)


def count(tool, command, arguments, units):
    """Runs exactly this many units under a tool and returns what tool.total() finds."""
    with tempfile.TemporaryDirectory() as directory:
        if not (around := tool.around(command, directory)):
            return None
        with Server(around) as server:
            with Load(server, [*arguments, "--seconds", "30", "--units", str(units)]) as load:
                load.run()
            return tool.total(server, directory)


# Connections that say nothing


def per_connection(command, mode, sample, connections, seconds):
    """What each connection adds to sample(server), and the CPU time in which all are idle."""
    with Server(command) as server:
        with Load(server, ["idle"]) as first:  # whatever is made once is made now
            first.run()
        before = sample(server)
        with Load(server, [mode, "--connections", str(connections)]):
            return (sample(server) - before) / connections, cpu_while_idle(server, seconds)
