"""The program that Pulumi runs."""

from infra import program

program.run()
