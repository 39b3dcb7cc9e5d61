"""The core: answers questions about a model and a picture, draws nothing, knows no Gradio."""
