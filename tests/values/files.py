"""What files hold: h5py, lxml, biopython, dateutil, pytz."""

import datetime
import io

import Bio.Align
import Bio.Phylo
import Bio.Seq
import Bio.SeqFeature
import Bio.SeqIO
import Bio.SeqRecord
import dateutil.parser
import dateutil.relativedelta
import dateutil.rrule
import dateutil.tz
import h5py
import lxml.etree
import numba
import numpy as np
import pytz


def h5():
    return h5py.File("memory", "w", driver="core", backing_store=False)


def record(**letters):
    return Bio.SeqRecord.SeqRecord(Bio.Seq.Seq("ACGT"), "a", letter_annotations=letters)


@numba.njit
def doubled(x):
    return 2 * x


@numba.njit
def tripled(x):
    return 3 * x


def called(function):
    function(1)
    return function


VALUES = """
Bio.Seq.Seq("ACGT")
Bio.Seq.Seq("ACGA")
Bio.Seq.MutableSeq("ACGT")
record()
record(phred_quality=[1, 2, 3, 4])
Bio.SeqFeature.SimpleLocation(1, 3, strand=1)
Bio.SeqFeature.SeqFeature(Bio.SeqFeature.SimpleLocation(1, 3), "gene")
list(Bio.SeqIO.parse(io.StringIO(">a\\nACGT\\n"), "fasta"))
Bio.Phylo.read(io.StringIO("((a:1,b:2):3,c:4);"), "newick")
Bio.Phylo.read(io.StringIO("((a:1,b:2):3,c:5);"), "newick")
dateutil.relativedelta.relativedelta(months=1)
dateutil.relativedelta.relativedelta(months=2)
dateutil.tz.gettz("Europe/Paris")
dateutil.tz.tzutc()
dateutil.tz.tzoffset("a", 3600)
datetime.datetime(2020, 1, 1, tzinfo=dateutil.tz.gettz("Europe/Berlin"))
dateutil.rrule.rrule(dateutil.rrule.DAILY, count=3, dtstart=datetime.datetime(2020, 1, 1))
dateutil.rrule.rrule(dateutil.rrule.DAILY, count=4, dtstart=datetime.datetime(2020, 1, 1))
pytz.utc
pytz.timezone("Europe/Paris")
pytz.timezone("Europe/Paris").localize(datetime.datetime(2020, 1, 1))
pytz.timezone("Europe/Paris").localize(datetime.datetime(2020, 7, 1)).tzinfo
pytz.FixedOffset(60)
h5py.string_dtype()
h5py.special_dtype(vlen=np.int32)
h5py.Empty("f8")
doubled
tripled
numba.int64
numba.types.Array(numba.int64, 1, "C")
"""

NOT_KEPT = """
Bio.Align.substitution_matrices.load("BLOSUM62")
"""

NO_DIGEST = """
h5()
h5().create_dataset("a", data=[1, 2])
h5().create_group("g")
lxml.etree.fromstring("<a/>")
"""
