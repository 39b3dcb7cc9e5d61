"""Which of timm's own classes are gates, and of what kind; what is found is held against it."""

from torch import nn

TRUTH = {
    **dict.fromkeys(("SplitAttn",), ("branch", "channel")),
    **dict.fromkeys(("SelectiveKernel", "CondConvResidual"), ("branch",)),
    **dict.fromkeys(("SqueezeExcite", "SEModule", "SqueezeExciteCl", "SEWithNorm"), ("channel",)),
    **dict.fromkeys(("EcaModule", "CecaModule", "EffectiveSEModule"), ("channel",)),
    **dict.fromkeys(("EseModule",), ("channel",)),
    **dict.fromkeys(("GlobalContext",), ("channel", "attention")),  # it multiplies, or only adds
    **dict.fromkeys(("GatherExcite",), ("channel", "modulation")),
    **dict.fromkeys(("GlobalResponseNorm", "SpatialGatingUnit", "GatedConvBlock"), ("modulation",)),
    **dict.fromkeys(("FocalModulation", "GluMlp", "SwiGLU", "ConvRelPosEnc"), ("modulation",)),
    **dict.fromkeys(("OutlookAttention", "GPSA", "MHSA", "Attention", "WindowAttention"), ("attention",)),
    **dict.fromkeys(("AttentionDownsample", "CrossCovarianceAttn", "XCA", "ClassAttn"), ("attention",)),
    **dict.fromkeys(("ClassAttention", "TalkingHeadAttn", "LocallyGroupedAttn"), ("attention",)),
    **dict.fromkeys(("GlobalSubSampleAttn", "EvaAttention", "FactorAttnConvRelPosEnc"), ("attention",)),
    **dict.fromkeys(("Attention4D", "MultiQueryAttention2d", "AttentionRope"), ("attention",)),
}
TRUE_BY_FILE = {("starnet", "Block"): ("modulation",), ("ghostnet", "GhostModuleV2"): ("modulation",)}


def expected(part: nn.Module) -> tuple[str, ...]:
    file = type(part).__module__.rpartition(".")[2]
    name = type(part).__name__
    return TRUE_BY_FILE.get((file, name), TRUTH.get(name, ()))
