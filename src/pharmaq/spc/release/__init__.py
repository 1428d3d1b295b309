"""Release and equivalence tests: dosage units, dissolution, profiles, chances of passing."""

from pharmaq.spc.release.dissolution import DissolutionStage, dissolution_stage
from pharmaq.spc.release.distance import (
    DistanceEquivalence,
    msd_equivalence,
)
from pharmaq.spc.release.passing import (
    AcceptanceLimits,
    PassingBound,
    acceptance_limits,
    probability_of_passing,
)
from pharmaq.spc.release.similarity import (
    BootstrapOptions,
    SimilarityFactor,
    f1,
    f2,
)
from pharmaq.spc.release.staged import (
    DissolutionTest,
    PassProbability,
    StagedTest,
    UniformityTest,
    pass_probability,
)
from pharmaq.spc.release.uniformity import (
    ContentUniformity,
    acceptance_value,
    content_uniformity,
)

__all__ = [
    "AcceptanceLimits",
    "BootstrapOptions",
    "ContentUniformity",
    "DissolutionStage",
    "DissolutionTest",
    "DistanceEquivalence",
    "PassProbability",
    "PassingBound",
    "SimilarityFactor",
    "StagedTest",
    "UniformityTest",
    "acceptance_limits",
    "acceptance_value",
    "content_uniformity",
    "dissolution_stage",
    "f1",
    "f2",
    "msd_equivalence",
    "pass_probability",
    "probability_of_passing",
]
