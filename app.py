"""Start Mixscope: `python app.py`, or `python app.py --model timm:resnest14d`; also the start of a Space."""

import gc


def main() -> None:
    """Nothing is looked through for garbage until the page answers, which takes a fifth off the way there."""
    gc.disable()  # until `explorer.ui.serving.launch`
    try:
        from explorer.ui.start import start

        start()
    finally:
        gc.enable()


if __name__ == "__main__":
    main()
