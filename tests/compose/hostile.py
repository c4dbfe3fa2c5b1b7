"""Tries what a pipeline file may not do, and tells in its pipeline's metadata what came of each try."""

import contextlib
import ctypes
import importlib
import os
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
KEY, PORT, HOME = "AKIAHOSTILEHOSTILE00", int((HERE / "port.txt").read_text()), HERE / "house"
TRIES = {}


def attempt(function):
    TRIES[function.__name__] = function
    return function


@attempt
def read_the_environment():
    return KEY in repr(dict(os.environ))


@attempt
def read_a_process():
    """The parent's variables, or anybody's."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            with contextlib.suppress(OSError):
                found.append(KEY.encode() in (process / "environ").read_bytes())
    return any(found)


@attempt
def read_the_home():
    return KEY in (HOME / ".aws" / "credentials").read_text()


@attempt
def read_what_a_variable_names():
    return KEY in (HERE / "elsewhere" / "named-by-a-variable").read_text()


@attempt
def ask_a_child_for_the_home():
    return KEY in subprocess.run(["cat", HOME / ".aws" / "credentials"], capture_output=True, text=True).stdout


def connect(address=("127.0.0.1", PORT)):
    with socket.create_connection(address, timeout=2) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
    return True


@attempt
def connect_here():
    return connect()


@attempt
def connect_past_python():
    import _socket

    with socket.socket() as made:
        _socket.socket.connect(made, ("127.0.0.1", PORT))
    return True


@attempt
def connect_in_c():
    library = ctypes.CDLL(None)
    handle = library.socket(2, 1, 0)
    address = (2).to_bytes(2, sys.byteorder) + PORT.to_bytes(2, "big") + bytes([127, 0, 0, 1]) + bytes(8)
    return library.connect(handle, address, 16) == 0


@attempt
def connect_to_a_socket_in_the_folder():
    library = ctypes.CDLL(None)
    handle = library.socket(1, 1, 0)
    address = (1).to_bytes(2, sys.byteorder) + os.fsencode(HERE / "listening") + b"\0"
    return library.connect(handle, address, len(address)) == 0


@attempt
def connect_in_a_thread():
    done = []
    thread = threading.Thread(target=lambda: done.append(quietly(connect)))
    thread.start()
    thread.join()
    return done == [True]


@attempt
def connect_in_a_fork():
    child = os.fork()
    if child == 0:
        os._exit(0 if quietly(connect) is True else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@attempt
def connect_in_a_program():
    text = f"import socket; socket.create_connection(('127.0.0.1', {PORT}), timeout=2)"
    return subprocess.run([sys.executable, "-c", text], capture_output=True).returncode == 0


@attempt
def fetch():
    return bool(urllib.request.urlopen(f"http://127.0.0.1:{PORT}/", timeout=2).read())


@attempt
def ask_for_the_machines_role():
    return bool(urllib.request.urlopen("http://169.254.169.254/latest/meta-data/", timeout=2).read())


@attempt
def send_with_boto():
    client = importlib.import_module("boto" + "3").client("s3", endpoint_url=f"http://127.0.0.1:{PORT}")
    client.put_object(Bucket="acme-ml", Key="stolen", Body=b"x")
    return False  # answered here


@attempt
def write_into_python():
    (Path(sys.prefix) / "planted-by-a-pipeline.txt").write_text("x")
    return True


@attempt
def write_into_the_home():
    (HOME / "seen").mkdir()
    (HOME / ".bashrc").write_text("x")
    return False  # into another home, or not at all


@attempt
def mount_it_again():
    return ctypes.CDLL(None).mount(None, str(HERE).encode(), None, 32 | 4096, None) == 0


def quietly(function):
    try:
        return function()
    except (Exception, SystemExit) as error:
        return type(error).__name__


found = {name: str(quietly(function)) for name, function in TRIES.items()}

try:
    subprocess.check_call([sys.executable, "-m", "pip", "install", "left-out-while-composing"])
    found["install"] = "left out"
    subprocess.Popen(["sleep", "4711"], start_new_session=True)
    if os.fork() == 0:
        os.setsid()
        os.execvp("sleep", ["sleep", "4712"])
except OSError as error:
    found["start"] = type(error).__name__

try:
    (HERE / "written.py").write_text("print('written while composing')\n")
    (HERE / "port.txt").unlink()
    found["write"] = "overlay"
except OSError as error:
    found["write"] = type(error).__name__

from mlops import Pipeline, Processing  # noqa: E402 - last, so that nothing decides by what comes first

code = "written.py" if found["write"] == "overlay" else "house/shipped.py"
with Pipeline("hostile", metadata=found):
    Processing("Ship", code=code, image="111122223333.dkr.ecr.us-east-1.amazonaws.com/own:1", instance="ml.m5.large")
