"""By which name do older stores know what a task has asked for?  By this module's, in pickles; it has moved."""

from rms_jupyter.run.task.further import Asked as Asked
from rms_jupyter.run.task.further import Later as Later
from rms_jupyter.run.task.further import PlainPipe as PlainPipe
