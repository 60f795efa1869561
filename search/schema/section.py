"""A part of a space file, read strictly."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of the file: unknown keys and values of another type are refused."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        serialize_by_alias=True,  # some keys, such as `from`, cannot be Python names
    )
