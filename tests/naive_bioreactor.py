"""The culture of `pharmaq.datasets.bioreactor`, equation by equation as its page has them."""

from __future__ import annotations

import math

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

# E. Anane, D. C. Lopez, P. Neubauer and M. N. Cruz Bournazou, Biochem. Eng. J. 125 (2017) 23
ANANE = {
    "Kap": 0.5052,
    "Ksa": 0.0134,
    "Ks": 0.0370,
    "Kia": 1.2399,
    "Kis": 2.1231,
    "pAmax": 0.2268,
    "qAmax": 0.1148,
    "qm": 0.0129,
    "qSmax": 0.6356,
    "Yas": 0.9097,
    "Yxa": 0.5718,
    "Yem": 0.5333,
    "Yxsof": 0.2268,
}

# grams that hold one mole of carbon: C6H12O6, C2H4O2, CH1.8O0.5N0.2
C_GLUCOSE, C_ACETATE, C_CELLS = 30.026, 30.026, 24.626


def cardinal_temperature(t):
    low, best, high = 4.9, 41.3, 47.5
    if not low < t < high:
        return 0.0
    slope = (best - low) * (t - best) - (best - high) * (best + low - 2 * t)
    return (t - high) * (t - low) ** 2 / ((best - low) * slope)


def cardinal_ph(ph):
    low, best, high = 4.4, 7.0, 9.6
    if not low < ph < high:
        return 0.0
    return (ph - low) * (ph - high) / ((ph - low) * (ph - high) - (ph - best) ** 2)


def specific_rates(glucose, acetate, speed, medium):
    """Return uptake of glucose, release of acetate and growth, as Anane et al. have them."""
    p = ANANE
    q_s = p["qSmax"] * medium * speed / (1 + acetate / p["Kia"]) * glucose / (glucose + p["Ks"])
    q_over = p["pAmax"] * q_s / (q_s + p["Kap"])
    p_a = q_over * p["Yas"]
    q_a = p["qAmax"] * speed / (1 + q_s / p["Kis"]) * acetate / (acetate + p["Ksa"])
    mu = (q_s - q_over - p["qm"]) * p["Yem"] + q_a * p["Yxa"] + (q_over - p_a) * p["Yxsof"]
    return q_s, p_a - q_a, mu


def derivatives(y, actuators, level):
    """Return the derivatives of the states per hour, in the order of the states."""
    x, s, a, p, _, v, t, ph, w, probe = y[:10]
    feed, base, transfer, jacket, induced = actuators
    speed = cardinal_temperature(t) / cardinal_temperature(37.0) * cardinal_ph(ph)
    q_s, q_acid, mu = specific_rates(s, a, speed, level["medium"])
    mu_w = 0.75 * speed * s / (s + 0.015)
    growth = (mu * x + mu_w * w) / C_CELLS
    glucose = q_s * x + mu_w * w / 0.45
    acid = q_acid * x + 0.25 * mu_w * w / 0.45
    # four electrons a carbon in glucose and acetate, 4.2 in cells, four to reduce an oxygen
    uptake = (4 * glucose / C_GLUCOSE - 4 * acid / C_ACETATE - 4.2 * growth) / 4
    supply = transfer * 2.1e-4
    o = brentq(lambda o: supply * (1 - o) - max(uptake, 0) * o / (o + 0.005), 0, 1, xtol=1e-15)
    share = o / (o + 0.005)
    made = level["expression"] * induced * (0.20 * max(mu, 0) + 0.012) * x * share / (1 + a / 2)
    lost = 0.006 * math.exp(0.12 * (t - 30)) * p
    d = (feed + base) / v
    protons = share * (0.2 * growth + acid / 60.052)
    carbon_dioxide = glucose / C_GLUCOSE - acid / C_ACETATE - growth
    return [
        mu * x * share - d * x,
        feed * level["feed_glucose"] / v - glucose * share - d * s,
        acid * share - d * a,
        made - lost - d * p,
        lost - d * y[4],
        feed + base,
        460 / 4.18 * uptake * share + 8 * (jacket - t) + d * (25 - t),
        (6 * base / v - protons) / level["buffer"],
        mu_w * w * share - d * w,
        (100 * o - probe) / (20 / 3600),
        feed,
        base,
        uptake * share * v,
        carbon_dioxide * share * v,
    ]


def minute_later(state, actuators, level):
    """Return the states one minute on, integrated to a tight tolerance."""
    solution = solve_ivp(
        lambda _, y: derivatives(y, actuators, level),
        (0.0, 1 / 60),
        np.asarray(state, dtype=float),
        method="LSODA",
        rtol=1e-10,
        atol=1e-12,
    )
    return solution.y[:, -1]
