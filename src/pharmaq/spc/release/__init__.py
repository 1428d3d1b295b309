"""Release and equivalence tests: dosage units, dissolution, profiles, chances of passing."""

from pharmaq.spc.release.dissolution import DissolutionStage, dissolution_stage
from pharmaq.spc.release.uniformity import (
    ContentUniformity,
    acceptance_value,
    content_uniformity,
)

__all__ = [
    "ContentUniformity",
    "DissolutionStage",
    "acceptance_value",
    "content_uniformity",
    "dissolution_stage",
]
