from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline

from pharmaq.chemometrics import OSC, PLS, VenetianBlinds, cross_validate


# scikit-learn refits the whole pipeline in every fold
def test_a_supervised_step_is_refitted_with_the_y_of_its_fold(corn: pd.DataFrame) -> None:
    X, y = corn.iloc[:, 5:].to_numpy(), corn["Moisture"].to_numpy()
    pipeline = make_pipeline(OSC(), PLS(3))
    result = cross_validate(pipeline, X, y, cv=VenetianBlinds(5))
    expected = cross_val_predict(pipeline, X, y, cv=VenetianBlinds(5))
    np.testing.assert_allclose(result.predictions.values[2], expected, rtol=1e-8)
