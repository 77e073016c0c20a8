"""Which request is which, seen from a proxy: by path, method and body, for our worker and for the baseline's."""

from xnovu_dev.faults.http_proxy import Match, Request


def of(tenant: str, match: Match) -> Match:
    """Only what concerns one tenant: its id is in every payload and in every call to the database."""
    plain, short = tenant.encode(), tenant.replace("-", "").encode()

    def concerns(request: Request) -> bool:
        text = request.path.encode() + request.body
        return (plain in text or short in text) and match(request)

    return concerns


def is_trigger(request: Request) -> bool:
    return request.method == "POST" and request.path.startswith("/v1/events/trigger")


def is_claim(request: Request) -> bool:
    """Ours, or the PATCH of a program without functions in the database."""
    return "claim_notifications" in request.path or (
        request.method == "PATCH" and b"PROCESSING" in request.body
    )


def is_finish(request: Request) -> bool:
    return "finish_notifications" in request.path or (
        request.method == "PATCH" and b"SENT" in request.body
    )


def is_poll(request: Request) -> bool:
    return "/rpc/poll" in request.path or (
        request.method == "GET" and "ent_notification?" in request.path
    )


def anything(_: Request) -> bool:
    return True
