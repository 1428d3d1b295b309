"""Ways to split samples into segments for cross-validation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.model_selection import BaseCrossValidator, LeaveOneOut

from pharmaq._checks import check_integer
from pharmaq.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = [
    "ContiguousBlocks",
    "LeaveBatchOut",
    "RandomSubsets",
    "VenetianBlinds",
    "make_splitter",
]


class _Segments(BaseCrossValidator):
    """Splitters that make a given number of segments."""

    def __init__(self, n_splits: int = 10) -> None:
        self.n_splits = n_splits

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: ARG002
        """Return the number of segments.

        Parameters
        ----------
        X, y, groups : object
            Not used.

        Returns
        -------
        int
            `n_splits`.
        """
        return check_integer("n_splits", self.n_splits, least=2)


class VenetianBlinds(_Segments):
    """Leave out every k-th sample in turn: segment i holds the samples i, i + k, i + 2k, ...

    Parameters
    ----------
    n_splits : int, default 10
        Number k of segments, at most the number of samples.

    Notes
    -----
    Neighbours in the table end up in different segments. Where neighbours are replicates or
    tablets of one batch, the error comes out too small: use `LeaveBatchOut`.

    Examples
    --------
    >>> [test.tolist() for _, test in VenetianBlinds(2).split([[1], [2], [3]])]
    [[0, 2], [1]]
    """

    def _iter_test_indices(
        self,
        X: Any = None,
        y: Any = None,  # noqa: ARG002
        groups: Any = None,  # noqa: ARG002
    ) -> Iterator[NDArray[np.intp]]:
        indices = np.arange(_count(X, self.get_n_splits()))
        for segment in range(self.n_splits):
            yield indices[segment :: self.n_splits]


class ContiguousBlocks(_Segments):
    """Leave out blocks of neighbouring samples in turn.

    Parameters
    ----------
    n_splits : int, default 10
        Number of blocks, at most the number of samples; the first ones are longer by one
        where the samples do not divide evenly.

    Examples
    --------
    >>> [test.tolist() for _, test in ContiguousBlocks(2).split([[1], [2], [3]])]
    [[0, 1], [2]]
    """

    def __init__(self, n_splits: int = 10) -> None:
        self.n_splits = n_splits

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: ARG002
        """Return the number of blocks.

        Parameters
        ----------
        X, y, groups : object
            Not used.

        Returns
        -------
        int
            `n_splits`.
        """
        return check_integer("n_splits", self.n_splits, least=2)

    def _iter_test_indices(
        self,
        X: Any = None,
        y: Any = None,  # noqa: ARG002
        groups: Any = None,  # noqa: ARG002
    ) -> Iterator[NDArray[np.intp]]:
        yield from np.array_split(np.arange(_count(X, self.get_n_splits())), self.n_splits)


class LeaveBatchOut(BaseCrossValidator):
    """Leave out one batch after the other.

    The error then tells how the model does on batches it has never seen, which is what it will
    meet. `groups` names the batch of each sample.

    Examples
    --------
    >>> split = LeaveBatchOut().split([[1], [2], [3]], groups=["a", "a", "b"])
    >>> [test.tolist() for _, test in split]
    [[0, 1], [2]]
    """

    # tells scikit-learn's metadata routing what `split` needs
    __metadata_request__split: ClassVar[dict[str, bool]] = {"groups": True}

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: ARG002
        """Return the number of batches.

        Parameters
        ----------
        X, y : object
            Not used.
        groups : array-like of shape (n_samples,)
            Batch of each sample.

        Returns
        -------
        int
            Number of different batches.
        """
        return len(_batches(groups)[0])

    def _iter_test_indices(
        self,
        X: Any = None,  # noqa: ARG002
        y: Any = None,  # noqa: ARG002
        groups: Any = None,
    ) -> Iterator[NDArray[np.intp]]:
        names, member = _batches(groups)
        for batch in range(len(names)):
            yield np.flatnonzero(member == batch)


class RandomSubsets(BaseCrossValidator):
    """Shuffle the samples into segments, leave out each in turn, and do so several times.

    Parameters
    ----------
    n_splits : int, default 10
        Number of segments, at most the number of samples.
    n_repeats : int, default 1
        Number of shuffles; every sample is left out once in each.
    random_state : int, default 0
        Seed of the shuffles.

    Examples
    --------
    >>> splitter = RandomSubsets(2, n_repeats=3)
    >>> splitter.get_n_splits()
    6
    """

    def __init__(
        self, n_splits: int = 10, *, n_repeats: int = 1, random_state: int = 0
    ) -> None:
        self.n_splits = n_splits
        self.n_repeats = n_repeats
        self.random_state = random_state

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: ARG002
        """Return the number of segments over all repeats.

        Parameters
        ----------
        X, y, groups : object
            Not used.

        Returns
        -------
        int
            `n_splits` times `n_repeats`.
        """
        splits = check_integer("n_splits", self.n_splits, least=2)
        return splits * check_integer("n_repeats", self.n_repeats, least=1)

    def _iter_test_indices(
        self,
        X: Any = None,
        y: Any = None,  # noqa: ARG002
        groups: Any = None,  # noqa: ARG002
    ) -> Iterator[NDArray[np.intp]]:
        self.get_n_splits()
        n_samples = _count(X, self.n_splits)
        seed = check_integer("random_state", self.random_state, least=0)
        generator = np.random.default_rng(seed)
        for _ in range(self.n_repeats):
            order = generator.permutation(n_samples)
            for part in np.array_split(order, self.n_splits):
                yield np.sort(part)


def make_splitter(text: str) -> BaseCrossValidator:
    """Read a splitter from its short name.

    Parameters
    ----------
    text : str
        ``"batch"``, ``"venetian(10)"``, ``"contiguous(10)"``, ``"random(10)"`` (or
        ``"random(10,5)"`` for five repeats) or ``"loo"``; the numbers may be left out.

    Returns
    -------
    cross-validator
        The splitter.

    Raises
    ------
    InputError
        If the name is unknown or its number makes no sense.

    Examples
    --------
    >>> make_splitter("venetian(7)")
    VenetianBlinds(n_splits=7)
    """
    match = re.fullmatch(r"\s*([a-z]+)\s*(?:\(\s*([\d\s,]*)\))?\s*", text.lower())
    name = match[1] if match else ""
    numbers = [int(part) for part in re.findall(r"\d+", match[2] or "")] if match else []
    makers: dict[str, Any] = {
        "batch": (0, LeaveBatchOut),
        "loo": (0, LeaveOneOut),
        "venetian": (1, VenetianBlinds),
        "contiguous": (1, ContiguousBlocks),
        "random": (2, lambda *n: RandomSubsets(n[0] if n else 10, n_repeats=(*n, 1, 1)[1])),
    }
    most, maker = makers.get(name, (-1, None))
    if maker is None or len(numbers) > most:
        msg = (
            f"cv {text!r} is unknown; use batch, loo, venetian(10), contiguous(10), "
            "random(10) or random(10,5)"
        )
        raise InputError(msg)
    splitter: BaseCrossValidator = maker(*numbers)
    if most:
        splitter.get_n_splits()
    return splitter


def splitter_text(splitter: Any) -> str:
    """Return the short name of a splitter, or its repr where it has none."""
    texts = {
        "LeaveBatchOut": "batch",
        "LeaveOneOut": "loo",
        "VenetianBlinds": f"venetian({getattr(splitter, 'n_splits', '')})",
        "ContiguousBlocks": f"contiguous({getattr(splitter, 'n_splits', '')})",
    }
    return texts.get(type(splitter).__name__, repr(splitter))


def _count(X: Any, n_splits: int) -> int:
    n_samples = len(X)
    if n_splits > n_samples:
        msg = f"n_splits = {n_splits} is more than the {n_samples} samples there are"
        raise InputError(msg)
    return n_samples


def _batches(groups: Any) -> tuple[NDArray[Any], NDArray[np.intp]]:
    if groups is None:
        msg = "groups is missing: leave-batch-out needs the batch of each sample"
        raise InputError(msg)
    # in order of appearance, so that folds follow the table
    labels = np.asarray(groups).astype(str)
    names, first, member = np.unique(labels, return_index=True, return_inverse=True)
    if len(names) < 2:
        msg = f"groups must hold at least two batches, got {len(names)}"
        raise InputError(msg)
    rank = np.empty(len(names), dtype=np.intp)
    rank[np.argsort(first)] = np.arange(len(names))
    return names, rank[member.ravel()]
