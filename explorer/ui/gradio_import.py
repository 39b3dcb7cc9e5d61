"""Imports Gradio 6.31 without the type stubs it writes, which take a third of its import.

Whenever the class of a component is made, Gradio parses its file and writes a `.pyi` file beside it
(`create_or_modify_pyi`). No setting turns this off; a class without a file, of which `inspect` raises an
OSError, is passed over.
"""

import inspect
import sys


def import_gradio() -> None:
    """Import Gradio; call it before anything else does. Where Gradio is imported already, nothing changes."""
    if "gradio" in sys.modules:
        return
    file_of = inspect.getfile

    def file_unless_of_gradio(what):
        if str(getattr(what, "__module__", "")).startswith("gradio."):
            raise OSError
        return file_of(what)

    inspect.getfile = file_unless_of_gradio
    try:
        from gradio import blocks_events, component_meta
    finally:
        inspect.getfile = file_of
    for module in (component_meta, blocks_events):
        vars(module)["create_or_modify_pyi"] = lambda *_: None
