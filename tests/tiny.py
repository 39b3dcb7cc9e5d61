"""One small model per family: the same code as the real variants, sized for a test run."""

from models.as_mlp import AsMlp, AsMlpConfig
from models.efficientnet_lite import EfficientNetLite, EfficientNetLiteConfig
from models.fasternet import FasterNet, FasterNetConfig
from models.mlp_mixer import MixerConfig, MlpMixer
from models.mobilevit import MobileViT, MobileViTConfig
from models.s2_mlp import S2Mlp, S2MlpConfig
from models.s2_mlp_v2 import S2MlpV2, S2MlpV2Config
from models.vision_permutator import VipConfig, VisionPermutator

IMAGE_SIDE = 32
SIZES = {"image_size": IMAGE_SIDE, "num_classes": 5}
TINY = {
    "Vision Permutator": lambda: VisionPermutator(
        VipConfig(patch_size=4, dims=(16, 32), depths=(1, 2), **SIZES)
    ),
    "MLP-Mixer": lambda: MlpMixer(
        MixerConfig(patch_size=8, depth=2, dim=16, tokens_dim=8, channels_dim=32, **SIZES)
    ),
    "S2-MLP": lambda: S2Mlp(S2MlpConfig(patch_size=8, depth=2, dim=16, **SIZES)),
    "S2-MLPv2": lambda: S2MlpV2(S2MlpV2Config(patch_sizes=(4, 2), dims=(16, 32), depths=(1, 2), **SIZES)),
    "AS-MLP": lambda: AsMlp(AsMlpConfig(dim=16, depths=(1, 2), **SIZES)),
    "MobileViT": lambda: MobileViT(
        MobileViTConfig(
            stem_dim=8,
            dims=(8, 8, 16, 16, 16),
            depths=(1, 2),
            transformer_dims=(16, 16, 16),
            transformer_depths=(1, 1, 1),
            expansion=2,
            num_heads=2,
            final_dim=32,
            **SIZES,
        )
    ),
    "FasterNet": lambda: FasterNet(FasterNetConfig(dim=16, depths=(1, 2), feature_dim=32, **SIZES)),
    "EfficientNet-Lite": lambda: EfficientNetLite(
        EfficientNetLiteConfig(width=0.25, depth=0.1, stem_dim=8, feature_dim=32, **SIZES)
    ),
}
