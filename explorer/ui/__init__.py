"""The page. Importing it first switches off everything of Gradio that would call home."""

import os

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
