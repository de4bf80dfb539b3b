"""What all routes share: the studio's parts, the header of changes, the documented refusals."""

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import Depends, Header, Path, Request

from edgewise.studio.forms import ErrorAnswer
from edgewise.studio.guard import MARK
from edgewise.studio.studio import Studio

Responses = dict[int | str, dict[str, Any]]

Key = Annotated[str, Path(max_length=64)]


def _studio(request: Request) -> Studio:
    studio: Studio = request.app.state.studio
    return studio


Here = Annotated[Studio, Depends(_studio)]
"""The studio that a request is made to."""


def _marked(mark: Annotated[Literal["1"], Header(alias=MARK)]) -> None:
    """State in the OpenAPI document what the guard has checked."""
    del mark


MARKED = [Depends(_marked)]


def refusals(*statuses: int) -> Responses:
    """The documented refusals of a route, beside those that every route has."""
    return {
        status: {"model": ErrorAnswer, "description": HTTPStatus(status).phrase}
        for status in statuses
    }


def content(*kinds: str) -> Responses:
    """The documented content types of an answer that is a file."""
    file = {"schema": {"type": "string", "format": "binary"}}
    data = {"schema": {"type": "object"}}
    return {200: {"content": {k: data if k.endswith("json") else file for k in kinds}}}
