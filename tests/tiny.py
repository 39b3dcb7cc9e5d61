"""One small model per family: the same code as the real variants, sized for a test run."""

from models.vision_permutator import VipConfig, VisionPermutator

IMAGE_SIDE = 32
TINY = {
    "Vision Permutator": lambda: VisionPermutator(
        VipConfig(image_size=IMAGE_SIDE, patch_size=4, dims=(16, 32), depths=(1, 2), num_classes=5)
    ),
}
