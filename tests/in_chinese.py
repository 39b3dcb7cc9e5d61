"""What must not be left in English where the page is read in Chinese."""

import re

from tests.on_page import settled

# What stays as it is: names, units, formats, and what belongs to Gradio and cannot be reached.
KEPT = "|".join(
    [
        *(
            "Mixscope",
            "English",
            r"\w+_nano",
            r"vip_\w+",
            r"\w+\(.*\)",
            *(
                "VarGrad",
                "DeepLift",
                "DeepLiftShap",
                "Layer-CAM",
                "Score-CAM",
                "Shapley",
                "KernelShap",
                "LIME",
                "RISE",
            ),
            *("LRP", "SLIC", "ReLU", "Vision Permutator", "S2-MLPv2", "LayerNorm", "GELU"),
            *("SiLU", "GroupNorm", "DropPath"),
            *("AS-MLP", "MLP-Mixer", "MLP", "S2-MLP", "MobileViT", "FasterNet"),
            *("EfficientNet-Lite", "EfficientNet", "MBConv", "CIFAR-10"),
            *("WeightedPermuteMLP", "dim", "seg_dim", "fasternet_t0@[0-9x]+"),
            r"inner fc \d",  # as somebody calls the parts of a model of their own
            r"[A-Z][a-z0-9]+(?:[A-Z]\w+)+",  # names of classes, as the source has them
            *("Attention", "Mlp", "Carried", "Patches"),
            *("Grad-CAM", "Finer-CAM", "HSIC", "CKA", "Kornblith", "PyTorch"),
            *("stem", "Transformer", "Rollout"),  # papers in Chinese keep these
            r"[0-9.]+ (?:[kMG]|MB)",
            "timm",
            *("GradientShap", "Finer", "HSIC"),
            "SmoothGrad",
            "Saliency",
        ),
        *("Occlusion", "IG", "logit", "Python", "PNG", "SVG", "npz", "png", "svg", "parquet", "CPU", "API"),
        *(r"[0-9.]+e[-+][0-9]+", r"[0-9./]+s", r"common\.complete"),
    ]
)
LEFT = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  for (let node = walker.currentNode; node; node = walker.nextNode()) {
    const element = node.nodeType == 3 ? node.parentElement : node;
    if (!element || element.closest('[translate=no], pre, script, style')) continue;
    if (node.nodeType == 3) { if (element.offsetParent) found.push(node.data.trim()); }
    else for (const name of ['aria-label', 'title', 'placeholder', 'alt'])
      if (element.offsetParent && element.hasAttribute(name)) found.push(element.getAttribute(name));
  }
  document.querySelectorAll('input[role=combobox]').forEach(input => found.push(input.value));
  return found;
}"""


def nothing_english(page) -> None:
    settled(page)
    assert left_in_english(page) == []


def left_in_english(page) -> list[str]:
    """Menus and late views are put into Chinese a moment after they appear."""
    for _ in range(20):
        left = english(page.evaluate(LEFT))
        if not left:
            break
        page.wait_for_timeout(250)
    return left


def english(texts: list[str]) -> list[str]:
    return sorted({text for text in texts if re.search("[A-Za-z]", re.sub(rf"\b({KEPT})\b", "", text))})
