"""What a program will cost, before it runs: recorded on shapes alone, calibrated for this machine, replayed over any network."""

from mpc.cost.calibrating import Calibration, calibrate, cores, figures, machine
from mpc.cost.figures import Figures
from mpc.cost.predicting import Prediction, predict
from mpc.cost.recorded import Recorded, record
from mpc.cost.timeline import Step, Timeline

__all__ = [
    "Calibration",
    "Figures",
    "Prediction",
    "Recorded",
    "Step",
    "Timeline",
    "calibrate",
    "cores",
    "figures",
    "machine",
    "predict",
    "record",
]
