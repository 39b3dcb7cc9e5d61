"""What a person can do wrong. Anything else is a bug and keeps its traceback.

ExplorerError
+ PictureError         the upload is no picture this can read
  + NoPictureError     nothing has been uploaded yet
+ ChoiceError          a model, block, size, layer, channel, class or method that is not there
  + NoMapError         it is there, but there is nothing to draw of it
+ NotRememberedError   it would have to be computed, and was only to be told where it is remembered
"""


class ExplorerError(Exception):
    """Base of every error whose message is one sentence for the person at the screen."""


class PictureError(ExplorerError, ValueError):
    """The upload is no picture this can read."""


class NoPictureError(PictureError):
    """Nothing has been uploaded yet."""

    def __init__(self) -> None:
        super().__init__("Choose one of the examples or upload a picture first.")


class ChoiceError(ExplorerError, LookupError):
    """Asked for something that is not there."""


class NoMapError(ChoiceError):
    """What was asked for is there, but has nothing to draw; the page gives the reason instead of a view."""

    def __init__(self, reason: str, layer: str | None = None) -> None:
        super().__init__(reason if layer is None else f"There is no feature map {layer!r}. {reason}")
        self.reason = reason


class NotRememberedError(ExplorerError):
    """Asked for within `remembered_only`, and not there yet."""

    def __init__(self) -> None:
        super().__init__("This is not remembered; it would have to be computed.")
