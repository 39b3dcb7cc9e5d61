"""Start Mixscope: `python app.py` (or `gradio app.py` to reload on save). Also the start of a Space."""

from explorer.explorer import Explorer
from explorer.ui.app import LAUNCH, build_app

demo = build_app(Explorer())

if __name__ == "__main__":
    demo.launch(**LAUNCH)
