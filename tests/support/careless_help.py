"""Part of `support.careless`."""

from datetime import datetime


def time_of_the_machine() -> datetime:
    return datetime.now()  # noqa: DTZ005 - the mistake that is to be found
