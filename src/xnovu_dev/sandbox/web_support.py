"""What every handler uses: the environment of the application, JSON in, answers out in Novu's wrapping."""

import json
from collections.abc import Mapping
from typing import Final, TypeVar

from aiohttp import web
from pydantic import BaseModel, JsonValue, ValidationError

from xnovu_dev.sandbox.environment import Environment
from xnovu_dev.sandbox.json_types import dumps
from xnovu_dev.sandbox.refusals import Refused, of_validation

ENVIRONMENT: Final = web.AppKey("environment", Environment)
ENVIRONMENT_ID: Final = "5e0000000000000000000001"
ORGANIZATION_ID: Final = "5e0000000000000000000002"
LARGEST_PAGE: Final = 100

Body = TypeVar("Body", bound=BaseModel)


def environment(request: web.Request) -> Environment:
    return request.app[ENVIRONMENT]


def plain(
    body: JsonValue, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """An answer as it is."""
    return web.Response(
        text=dumps(body), status=status, content_type="application/json", headers=headers
    )


def wrapped(result: JsonValue, status: int = 200) -> web.Response:
    """An answer in `data`, as Novu wraps all but lists with pages and errors (temporal-and-novu.md §2.1)."""
    return plain({"data": result}, status)


async def read_json(request: web.Request) -> JsonValue:
    """Raises Refused 400 when the body is not JSON."""
    try:
        value: JsonValue = json.loads(await request.read())
    except ValueError:
        raise Refused(400, "The body is not JSON") from None
    return value


async def read_body(request: web.Request, model: type[Body]) -> Body:
    """Raises Refused 400 or 422."""
    try:
        return model.model_validate(await read_json(request))
    except ValidationError as error:
        raise of_validation(error) from None


def page(request: web.Request, default: int = 10) -> tuple[int, int]:
    """Page (from 0) and limit; numbers may arrive as `10.0`, and arrays as `x[]`. Raises Refused 422."""
    try:
        number = int(float(request.query.get("page", "0")))
        limit = int(float(request.query.get("limit", str(default))))
    except ValueError:
        raise Refused(422, "page and limit must be numbers") from None
    if number < 0 or not 1 <= limit <= LARGEST_PAGE:
        raise Refused(422, f"page must be at least 0, limit between 1 and {LARGEST_PAGE}")
    return number, limit


def repeated(request: web.Request, name: str) -> list[str]:
    """All the values of a repeated key, also where it is spelled `name[]`."""
    return [*request.query.getall(name, []), *request.query.getall(f"{name}[]", [])]


def any_of(column: str, values: list[str]) -> tuple[str, tuple[str, ...]]:
    """An SQL condition with its values; no values: always true. `column` is a name of this program."""
    if not values:
        return "1", ()
    return f"{column} IN ({', '.join('?' * len(values))})", tuple(values)
