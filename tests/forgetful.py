"""A cache that remembers models only, so that every question is computed."""

from explorer.engine.cache import Cache


class Forgetful(Cache):
    """Keeps what the engine cannot work without: models and what is made ready for them."""

    def __init__(self) -> None:
        super().__init__(10**9)

    def keep(self, key, value):
        return super().keep(key, value) if key[0] in ("model", "picture", "digest", "input") else value
