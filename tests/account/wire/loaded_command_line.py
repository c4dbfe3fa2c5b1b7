"""The aws command line, loaded once: each line of standard input is a command, which a fork of this program runs.

To start it takes half a second, nearly all of it for the modules and for the models of services; what it then does is
its own, in a process of its own, as by its program.
"""

from __future__ import annotations

import json
import os
import sys

from awscli.clidriver import create_clidriver

SERVICES = ("logs", "s3", "sagemaker", "sagemaker-runtime")


def main() -> None:
    driver = create_clidriver()
    for service in SERVICES:
        driver.session.get_service_model(service)
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            for descriptor, name in ((1, asked["out"]), (2, asked["err"])):
                os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
            os._exit(finished(driver.main(asked["words"])))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def finished(code: int) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    return code


main()
