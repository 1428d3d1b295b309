"""What other programs compute under the same names, each choice in words."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

Role = Literal["calibration", "new"]
ConventionName = Literal["pharmaq", "simca", "pls_toolbox", "r"]


class Convention(NamedTuple):
    """The choices of one program.

    `scaled_scores`: scores times the length of the loading, loadings of length 1. `t2_divisor`:
    of the variance of PLS scores. `vip`: from which weights. `judged`: the statistics that
    findings come from, the other ones say the same in another form.
    """

    scaled_scores: bool
    t2_divisor: Literal["N - 1", "N"]
    leverage_of_mean: bool
    vip: Literal["weights", "rotations"]
    methods: dict[str, str]
    judged: tuple[str, ...]

    def method(self, statistic: str, role: Role) -> str:
        """Return the default method of a limit; T2 may depend on the role of the samples."""
        return self.methods.get(f"{statistic}, {role}", self.methods[statistic])

    def choices(self) -> dict[str, str]:
        """Return the choices in words."""
        mean = "1 / N + " if self.leverage_of_mean else ""
        return {
            "scores": "t ||p||" if self.scaled_scores else "t",
            "loadings": "p / ||p||" if self.scaled_scores else "p",
            "t2": f"sum of t^2 / s^2, divisor of s^2 {self.t2_divisor}"
            + (" (PLS), N - 1 (PCA)" if self.t2_divisor == "N" else ""),
            "spe": "sum of squared residuals in the units of the scaled model",
            "dmodx": "sqrt(SPE / (K - A)) / s0, s0^2 = sum of SPE / ((N - A - 1) (K - A)); "
            "calibration samples times sqrt(N / (N - A - 1))",
            "leverage": f"{mean}sum of t^2 / ((N - 1) s^2)",
            "vip": f"from {self.vip}",
        }


_COMMON = {
    "dmodx": "f",
    "leverage": "e1655",
    "residual": "t",
    "nearest_neighbor": "largest",
}

CONVENTIONS: dict[str, Convention] = {
    "pharmaq": Convention(
        scaled_scores=False,
        t2_divisor="N - 1",
        leverage_of_mean=True,
        vip="weights",
        methods={
            **_COMMON,
            "t2": "f",
            "t2, calibration": "beta",
            "spe": "imhof",
        },
        judged=("t2", "spe", "residual", "nearest_neighbor"),
    ),
    "simca": Convention(
        scaled_scores=False,
        t2_divisor="N - 1",
        leverage_of_mean=False,
        vip="weights",
        methods={**_COMMON, "t2": "simca", "spe": "imhof"},
        judged=("t2", "dmodx", "residual"),
    ),
    "pls_toolbox": Convention(
        scaled_scores=True,
        t2_divisor="N",
        leverage_of_mean=False,
        vip="rotations",
        methods={**_COMMON, "t2": "simca", "spe": "jackson"},
        judged=("t2", "spe", "residual"),
    ),
    "r": Convention(
        scaled_scores=False,
        t2_divisor="N - 1",
        leverage_of_mean=True,
        vip="rotations",
        methods={**_COMMON, "t2": "simca", "spe": "ddmoments"},
        judged=("t2", "spe", "residual"),
    ),
}

# what may be asked for, by statistic; the last three are those of the R package mdatools
METHODS: dict[str, tuple[str, ...]] = {
    "t2": ("f", "beta", "simca", "chi2"),
    "spe": (
        "jackson",
        "box",
        "robust",
        "imhof",
        "box_eigenvalues",
        "chisq",
        "ddmoments",
        "ddrobust",
    ),
    "nearest_neighbor": ("largest", "quantile"),
}

DATA_DRIVEN = {"ddmoments": "classical", "ddrobust": "robust"}


def severity_of(statistic: str, role: Role) -> Any:
    """Return how serious it is to be outside: unknown features stop a new sample."""
    return "action" if role == "new" and statistic in {"spe", "dmodx"} else "alert"
