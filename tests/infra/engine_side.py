"""The engine's side of a dynamic provider: the process that it starts, and the form that properties travel in."""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import struct_pb2
from pulumi.runtime.proto import provider_pb2_grpc

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def running() -> Generator[Any]:
    """A client of Pulumi's dynamic plugin, with the project's root as its working directory."""
    environment = {**os.environ, "PULUMI_PROJECT": "launch-ready"}
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "pulumi.dynamic"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            with grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}") as channel:
                yield provider_pb2_grpc.ResourceProviderStub(channel)
        finally:
            process.terminate()


def struct(values: dict[str, Any]) -> Any:
    """Properties as protobuf has them."""
    made = struct_pb2.Struct()  # ty: ignore[missing-attribute] - protobuf makes it at import
    made.update(values)
    return made
