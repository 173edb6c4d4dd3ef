"""The configuration of the redirects: where the old paths are listed."""

from pathlib import PurePosixPath

from pydantic import Field, field_validator

from infra.section import Section, refused


class Redirects(Section):
    """A CSV file of old paths, relative to the project's root; none where there are no old paths."""

    file: str | None = Field(default=None, max_length=200)

    @field_validator("file")
    @classmethod
    def _is_inside_the_project(cls, file: str | None) -> str | None:
        if file is None:
            return file
        path = PurePosixPath(file)
        if path.is_absolute() or ".." in path.parts or "\\" in file or path.suffix != ".csv":
            limit = "the file of the old paths is a .csv inside the project"
            raise refused(limit, "Give its path from the project's root, such as Pulumi.prod.redirects.csv.")
        return file
