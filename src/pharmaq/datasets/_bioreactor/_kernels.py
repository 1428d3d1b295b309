"""Compiled culture: rates, integration and controllers; arrays in, arrays out, no checks.

Constants of culture ``c`` and procedure ``r``, and states, are in the order of ``CULTURE``,
``RECIPE`` and ``STATES`` in `pharmaq.datasets._bioreactor._culture`; actuators are feed, base
(L/h), oxygen transfer (1/h), jacket temperature (degC) and whether the cells are induced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# g a mole of carbon, available electrons a mole of carbon (ammonia as source of nitrogen)
_GLUCOSE, _ACETATE, _BIOMASS = 180.156 / 6, 60.052 / 2, 24.626
_E_SUGAR, _E_BIOMASS = 4.0, 4.2
# moles of ammonia taken up for a mole of carbon in cells, CH1.8 O0.5 N0.2
_NITROGEN = 0.2
_MINUTE = 1.0 / 60.0


@njit(cache=True, nogil=True)
def warmth(temperature: float, low: float, best: float, high: float) -> float:
    """Return the cardinal temperature model with inflection, 1 at the optimum."""
    if temperature <= low or temperature >= high:
        return 0.0
    above = (temperature - high) * (temperature - low) ** 2
    slope = (best - low) * (temperature - best)
    curve = (best - high) * (best + low - 2.0 * temperature)
    return above / ((best - low) * (slope - curve))


@njit(cache=True, nogil=True)
def acidity(ph: float, low: float, best: float, high: float) -> float:
    """Return the cardinal pH model, 1 at the optimum."""
    if ph <= low or ph >= high:
        return 0.0
    product = (ph - low) * (ph - high)
    return product / (product - (ph - best) ** 2)


@njit(cache=True, nogil=True)
def oxygen_level(demand: float, supply: float, half: float) -> float:
    """Return where transfer meets uptake, as a share of saturation.

    Solves ``supply * (1 - o) = demand * o / (o + half)`` for its root in (0, 1].
    """
    linear = demand / supply + half - 1.0
    root = np.sqrt(linear**2 + 4.0 * half)
    # the stable form: no difference of two nearly equal numbers
    return 2.0 * half / (linear + root) if linear > 0.0 else (root - linear) / 2.0


@njit(cache=True, nogil=True)
def cells(glucose: float, acetate: float, speed: float, c: Array) -> tuple[float, float, float]:
    """Return uptake of glucose, release of acetate (g/g and h) and growth (1/h) with oxygen."""
    uptake = c[7] * speed / (1.0 + acetate / c[8]) * glucose / (glucose + c[9])
    overflow = c[10] * uptake / (uptake + c[11])
    made = overflow * c[12]
    used = c[13] * speed / (1.0 + uptake / c[14]) * acetate / (acetate + c[15])
    growth = (uptake - overflow - c[16]) * c[17] + used * c[18] + (overflow - made) * c[19]
    return uptake, made - used, growth


@njit(cache=True, nogil=True)
def surroundings(
    state: Array, actuators: Array, c: Array, oxygen: float, protons: float, change: Array
) -> None:
    """Write the derivatives of volume, temperature, pH and of what was pumped."""
    feed, base = actuators[0], actuators[1]
    volume, temperature = state[5], state[6]
    inflow = (feed + base) / volume * (25.0 - temperature)
    change[5] = feed + base
    change[6] = c[33] * oxygen + c[34] * (actuators[3] - temperature) + inflow
    change[7] = (base * c[35] / volume - protons) / c[36]
    change[10] = feed
    change[11] = base


@njit(cache=True, nogil=True)
def rates(state: Array, actuators: Array, c: Array, change: Array) -> float:
    """Write the derivatives of all states per hour, and return the dissolved oxygen in %."""
    glucose, acetate = max(state[1], 0.0), max(state[2], 0.0)
    volume, temperature = state[5], state[6]
    speed = warmth(temperature, c[0], c[1], c[2]) * acidity(state[7], c[4], c[5], c[6]) / c[3]
    uptake, release, mu = cells(glucose, acetate, speed, c)

    # g a litre and hour, of both organisms, where oxygen is plenty
    own = mu * state[0]
    foreign = c[20] * speed * glucose / (glucose + c[21]) * state[8]
    growth = (own + foreign) / _BIOMASS
    sugar = uptake * state[0] + foreign / c[22]
    acid = release * state[0] + c[23] * foreign / c[22]
    # moles that the balances of carbon and of electrons leave
    carbon = sugar / _GLUCOSE - acid / _ACETATE - growth
    demand = sugar / _GLUCOSE - acid / _ACETATE - _E_BIOMASS / _E_SUGAR * growth

    # transfer and uptake are balanced at every moment; without oxygen nothing happens
    level = oxygen_level(max(demand, 0.0), actuators[2] * c[24], c[25])
    share = level / (level + c[25])
    made = actuators[4] * (c[26] * max(mu, 0.0) + c[27]) * state[0] / (1.0 + acetate / c[28])
    spoilt = c[29] * np.exp(c[30] * (temperature - c[31])) * state[3]

    dilution = (actuators[0] + actuators[1]) / volume
    change[0] = own * share - dilution * state[0]
    change[1] = actuators[0] * c[32] / volume - sugar * share - dilution * state[1]
    change[2] = acid * share - dilution * state[2]
    change[3] = made * share - spoilt - dilution * state[3]
    change[4] = spoilt - dilution * state[4]
    protons = share * (_NITROGEN * growth + acid / (2.0 * _ACETATE))
    surroundings(state, actuators, c, demand * share, protons, change)
    change[8] = foreign * share - dilution * state[8]
    change[9] = (100.0 * level - state[9]) / c[37]
    change[12] = demand * share * volume
    change[13] = carbon * share * volume
    return 100.0 * level


@njit(cache=True, nogil=True)
def advance(
    state: Array, actuators: Array, culture: Array, hours: float, steps: int, work: Array
) -> None:
    """Move `state` on by `hours` in `steps` steps of the classical Runge-Kutta method."""
    h = hours / steps
    for _ in range(steps):
        rates(state, actuators, culture, work[0])
        rates(state + 0.5 * h * work[0], actuators, culture, work[1])
        rates(state + 0.5 * h * work[1], actuators, culture, work[2])
        rates(state + h * work[2], actuators, culture, work[3])
        for i in range(state.size):
            state[i] += h / 6.0 * (work[0, i] + 2.0 * (work[1, i] + work[2, i]) + work[3, i])


@njit(cache=True, nogil=True)
def next_phase(phase: int, age: float, now: float, state: Array, r: Array) -> int:
    """Return the phase that the procedure asks for; 4 is the end."""
    if phase == 0:
        return 1 if state[1] < r[1] and now > 1.0 else 0
    if phase == 1:
        return 2 if state[0] + state[8] >= r[2] or age >= r[3] else 1
    if phase == 2:
        return 3 if state[10] >= r[4] or age >= r[5] else 2
    # a billionth of an hour: ages are sums of minutes
    return 4 if age >= r[6] - 1e-9 else 3


@njit(cache=True, nogil=True)
def pump(phase: int, age: float, pumping: float, r: Array) -> float:
    """Return how much feed flows."""
    if phase == 1:
        return r[7] * np.exp(r[8] * age) * pumping * r[10]
    return r[9] * pumping * r[10] if phase == 2 else 0.0


@njit(cache=True, nogil=True)
def control(
    phase: int, state: Array, outside: Array, r: Array, memory: Array, actuators: Array
) -> float:
    """Set transfer, jacket and base by what the sensors say, and return the flow of air.

    ``memory`` holds the speed of the stirrer, the last error of oxygen, and the integrals of
    the controllers of temperature and pH.
    """
    error = r[11] - (state[9] + outside[2])
    # a gain in proportion to the speed: the vessel answers less to the same step when fast
    memory[0] += r[12] * memory[0] * (error - memory[1] + _MINUTE / r[13] * error)
    memory[0] = min(max(memory[0], r[0]), r[14])
    memory[1] = error
    airflow = r[15] * outside[4]
    actuators[2] = r[16] * (memory[0] / 600.0) ** 2.2 * np.sqrt(outside[4]) * outside[7]

    target = r[17]
    if phase >= 2:
        target = r[18] if phase == 2 else r[19]
    cold = target + outside[5] - (state[6] + outside[0])
    wish = state[6] + outside[0] + r[20] * cold + memory[2]
    actuators[3] = min(max(wish, r[21]), r[22])
    # no winding up where the jacket is at its end
    if wish == actuators[3]:
        memory[2] += r[20] * _MINUTE / r[23] * cold

    sour = r[24] - (state[7] + outside[1])
    memory[3] = min(max(memory[3] + r[25] * _MINUTE / r[26] * sour, 0.0), r[27])
    actuators[1] = min(max(r[25] * sour + memory[3], 0.0), r[27])
    return airflow


@njit(cache=True, nogil=True)
def run(
    state: Array, culture: Array, recipe: Array, outside: Array, every: int, record: Array
) -> tuple[int, float]:
    """Run one batch minute by minute; fill `record`, return its rows and the hour of its end.

    Parameters
    ----------
    state : ndarray, shape (n_states,)
        At inoculation; at the end of the batch afterwards.
    culture, recipe : ndarray
        Constants of the cells and the vessel, and of the procedure.
    outside : ndarray, shape (n_minutes, 8)
        What is not as it should be, minute by minute: errors of the sensors of temperature,
        pH and oxygen, factors of feed and air, error of the temperature target, foreign
        cells that get in, factor of oxygen transfer.
    every : int
        Minutes between records.
    record : ndarray, shape (n_records, n_states + 10)
        Time, phase, states, then feed, base, transfer, jacket, stirrer, aeration, oxygen
        uptake, evolution of carbon dioxide.
    """
    n = state.size
    work = np.empty((4, n))
    actuators = np.zeros(5)
    memory = np.array([recipe[0], 0.0, 0.0, 0.0])
    phase, since, row, now = 0, 0.0, 0, 0.0
    for minute in range(outside.shape[0]):
        now = minute * _MINUTE
        state[8] += outside[minute, 6]
        wanted = next_phase(phase, now - since, now, state, recipe)
        if wanted > 3:
            break
        if wanted > phase:
            phase, since = wanted, now
        actuators[0] = pump(phase, now - since, outside[minute, 3], recipe)
        actuators[4] = 1.0 if phase >= 2 else 0.0
        airflow = control(phase, state, outside[minute], recipe, memory, actuators)
        if minute % every == 0:
            rates(state, actuators, culture, work[0])
            record[row, 0] = now
            record[row, 1] = phase
            record[row, 2 : 2 + n] = state
            record[row, 2 + n : 6 + n] = actuators[:4]
            record[row, 6 + n] = memory[0]
            record[row, 7 + n] = airflow
            record[row, 8 + n : 10 + n] = work[0, 12:14] / state[5]
            row += 1
        advance(state, actuators, culture, _MINUTE, int(recipe[28]), work)
    return row, now
