"""The generator's process as the bench holds it: commands in, outcomes out."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Final, Self

import msgspec

from cluster import children, paths, plan
from lab.bench.road.load import Open, Outcome, Progress, Step

NAME: Final = "bench-generator"
END_WAIT_S: Final = 10.0
_decode: Final = msgspec.json.Decoder(Progress | Outcome).decode
_encode: Final = msgspec.json.Encoder().encode


class GeneratorEnded(RuntimeError):
    """The generator died; its log says why."""


@dataclass(slots=True)
class Generator:
    """A running generator. Use as a context."""

    process: subprocess.Popen[bytes]
    stdout: IO[bytes]
    stdin: IO[bytes]

    @classmethod
    def start(cls, cluster: plan.Cluster) -> "Generator":
        """Start one that carries the cluster's mark, so that whatever ends the cluster ends it."""
        environment = children.plain_environment() | {
            children.FOLDER_MARK: str(cluster.folder),
            children.NAME_MARK: NAME,
        }
        with cluster.log(NAME).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "lab.bench.road.generator"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=paths.PROJECT,
                env=environment,
            )
        if process.stdout is None or process.stdin is None:
            raise GeneratorEnded("no pipes")
        return cls(process, process.stdout, process.stdin)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stdin.close()
        try:
            self.process.wait(timeout=END_WAIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.stdout.close()

    def open(self, world: Open) -> None:
        """Tell it of a road."""
        self._write(world)
        self._read()

    def run(self, step: Step, tell: Callable[[int], None] = lambda _: None) -> Outcome:
        """Run a step; tell hears how many were sent so far."""
        self._write(step)
        while True:
            message = self._read()
            if isinstance(message, Outcome):
                return message
            tell(message.sent)

    def _write(self, command: Open | Step) -> None:
        self.stdin.write(_encode(command) + b"\n")
        self.stdin.flush()

    def _read(self) -> Progress | Outcome:
        line = self.stdout.readline()
        if not line:
            raise GeneratorEnded(f"the generator ended; see logs/{NAME}.log")
        return _decode(line)
