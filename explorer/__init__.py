"""See inside vision backbones: `Explorer` answers questions about a model and a picture.

The core draws nothing and knows no Gradio.
"""

from explorer.attribution.options import Options
from explorer.explorer import Explorer

__all__ = ["Explorer", "Options"]
