"""Reading request bodies. Apart from `api`, because Django REST framework loads its parsers before its views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from rest_framework import exceptions
from rest_framework.parsers import JSONParser

from mindloom.engine.plain import from_json

if TYPE_CHECKING:
    from collections.abc import Mapping


class TooLarge(exceptions.APIException):
    """The body is larger than this installation takes."""

    status_code = 413
    default_code = "too_large"

    def __init__(self) -> None:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        super().__init__(f"The body is larger than {limit // 1024} KB. Send less.")


class JSONBody(JSONParser):
    """JSON of bounded size. A body that is too deep to read is a bad request, not a failure."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """The value. Raises `ParseError` or `TooLarge`."""
        body = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        if len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise TooLarge
        try:
            return from_json(body.decode())
        except RecursionError:
            raise exceptions.ParseError("it is nested too deep.") from None
        except ValueError as error:
            raise exceptions.ParseError(f"it is not JSON ({error}).") from None
