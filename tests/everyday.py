"""Everyday code, run plainly and as pipes: ``python -m tests.everyday plain|pipes FOLDER`` prints what each piece prints.

In each piece `P` makes a pipe of a function, or leaves it as it is.
"""

import contextlib
import io
import json
import linecache
import os
import sys
import warnings

PIECES = {}
PIECES["class attr list"] = """
class K:
    seen=[]
    def add(self,x): self.seen.append(x); return len(self.seen)
@P
def f(k,x): return k.add(x)
k=K(); print(f(k,1), f(k,1), K.seen)
"""
PIECES["default mutable"] = """
@P
def f(x, seen=[]):
    seen.append(x); return len(seen)
print(f(1), f(1), f(1))
"""
PIECES["generator fn"] = """
@P
def g(n):
    for i in range(n): yield i
a=g(3); print(next(a), list(a), list(a)); print(list(g(3)))
"""
PIECES["iter arg"] = """
@P
def f(it): return next(it)
it=iter([1,2,3]); print(f(it), f(it), list(it))
"""
PIECES["file arg"] = """
open("x.txt","w").write("a\\nb\\nc\\n")
@P
def f(h): return h.readline()
h=open("x.txt"); print(f(h), f(h), h.read())
"""
PIECES["time"] = """
import time
@P
def f(n): return time.time()>0
print(f(1))
"""
PIECES["dict order"] = """
@P
def f(d): return list(d)
print(f({"a":1,"b":2}), f({"b":2,"a":1}))
"""
PIECES["set mut"] = """
@P
def f(s): s.add(3); return sorted(s)
s={1,2}; t=s; print(f(s), t, s is t)
s={1,2}; t=s; print(f(s), t, s is t)
"""
PIECES["df inplace"] = """
import pandas as pd
@P
def f(d): d.drop(columns="a", inplace=True); return d.shape
d=pd.DataFrame({"a":[1],"b":[2]}); e=d; print(f(d), list(e.columns))
d=pd.DataFrame({"a":[1],"b":[2]}); e=d; print(f(d), list(e.columns))
"""
PIECES["array resize"] = """
import numpy as np
@P
def f(a): a.sort(); return a
a=np.array([3,1,2]); b=a; print(f(a) is a, b)
a=np.array([3,1,2]); b=a; print(f(a) is a, b)
"""
PIECES["negzero nan"] = """
import math
@P
def f(x): return math.copysign(1,x)
print(f(0.0), f(-0.0))
@P
def g(x): return type(x).__name__
print(g(1), g(True), g(1.0), g(1+0j), g("1"), g(b"1"))
"""
PIECES["env"] = """
import os
@P
def f(n): return os.environ.get("PROBE","none")*n
print(f(1)); os.environ["PROBE"]="x"; print(f(2), f(1)); del os.environ["PROBE"]; print(f(1))
"""
PIECES["env getenv var"] = """
import os
NAME="PROBE2"
@P
def f(n): return os.getenv(NAME,"none")*n
print(f(1)); os.environ["PROBE2"]="x"; print(f(1)); del os.environ["PROBE2"]
@P
def g(name): return os.environ.get(name)
os.environ["PROBE3"]="1"; print(g("PROBE3")); os.environ["PROBE3"]="2"; print(g("PROBE3"))
"""
PIECES["cwd"] = """
import os
@P
def f(n): return os.path.basename(os.getcwd())
os.makedirs("sub",exist_ok=True); print(len(f(1))>0); os.chdir("sub"); print(f(1)); os.chdir(".."); print(f(1)!="sub")
"""
PIECES["relfile"] = """
import os
for d in ("d1","d2"):
    os.makedirs(d,exist_ok=True); open(d+"/v.txt","w").write(d)
@P
def f(p): return open(p).read()
os.chdir("d1"); print(f("v.txt")); os.chdir("../d2"); print(f("v.txt")); os.chdir("..")
@P
def g(): return open("v.txt").read()
os.chdir("d1"); print(g()); os.chdir("../d2"); print(g()); os.chdir("..")
"""
PIECES["np options"] = """
import numpy as np
@P
def f(n): return str(np.array([1/3]*n))
print(f(2)); np.set_printoptions(precision=2); print(f(2)); np.set_printoptions(precision=8); print(f(2))
"""
PIECES["pd options"] = """
import pandas as pd
@P
def f(n): return pd.DataFrame({"a":range(n)}).to_string(max_rows=None).count("\\n"), repr(pd.DataFrame({"a":[1.23456789]*n}))
print(f(2)); pd.set_option("display.precision",2); print(f(2)); pd.reset_option("display.precision"); print(f(2))
"""
PIECES["decimal ctx"] = """
import decimal
@P
def f(n): return decimal.Decimal(1)/decimal.Decimal(n)
print(f(3)); decimal.getcontext().prec=5; print(f(3)); decimal.getcontext().prec=28
"""
PIECES["seterr"] = """
import numpy as np
@P
def f(n):
    try: return float(np.array([1.0])[0]/np.array([0.0])[0]*n)
    except FloatingPointError as e: return str(e)
with np.errstate(divide="ignore"): print(f(1))
with np.errstate(divide="raise"): print(f(1))
"""
PIECES["rcparams"] = """
import matplotlib; matplotlib.use("agg")
@P
def f(n): return matplotlib.rcParams["lines.linewidth"]*n
print(f(1)); matplotlib.rcParams["lines.linewidth"]=5.0; print(f(1)); matplotlib.rcdefaults(); print(f(1))
"""
PIECES["sys modules attr"] = """
import types, sys
m=types.ModuleType("mymod"); m.K=2; sys.modules["mymod"]=m
def load():
    import mymod
    return mymod
@P
def f(x):
    import mymod
    return mymod.K*x
print(f(2)); m.K=5; print(f(2))
"""
PIECES["getattr dyn"] = """
class Cfg: a=1; b=2
cfg=Cfg()
@P
def f(n): return getattr(cfg,n)
print(f("a"), f("b")); cfg.a=7; print(f("a")); Cfg.b=9; print(f("b"))
"""
PIECES["inherit"] = """
class A:
    def v(self): return 1
class B(A): pass
@P
def f(b): return b.v()
print(f(B())); A.v=lambda self: 2; print(f(B()))
"""
PIECES["property patch"] = """
class A:
    @property
    def v(self): return 1
a=A()
@P
def f(a): return a.v
print(f(a)); A.v=property(lambda self: 5); print(f(a))
"""
PIECES["closure rebind"] = """
def mk(k):
    def h(x): return x*k
    return h
fs=[P(mk(k)) for k in (2,3)]
print([f(5) for f in fs])
"""
PIECES["kwargs order"] = """
@P
def f(**kw): return list(kw)
print(f(a=1,b=2), f(b=2,a=1))
"""
PIECES["str subclass"] = """
class T(str):
    def hi(self): return "hi"
@P
def f(t): return type(t).__name__
print(f(T("a")), f("a"))
@P
def g(x): return T(x)
r=g("q"); print(type(r).__name__, r.hi()); r=g("q"); print(type(r).__name__, r.hi())
"""
PIECES["int enum"] = """
import enum
class E(enum.IntEnum): A=1
@P
def f(e): return repr(e)
print(f(E.A), f(1))
@P
def g(n): return E(n)
print(g(1) is E.A, g(1) is E.A)
"""
PIECES["exception value"] = """
@P
def f(n):
    e=ValueError("x",n); e.extra=n; return e
e=f(1); print(e.args,e.extra); e=f(1); print(e.args,e.extra)
"""
PIECES["raises"] = """
@P
def f(n): raise KeyError(n)
for _ in range(2):
    try: f("a")
    except KeyError as e: print(repr(e), e.__context__)
"""
PIECES["bool np"] = """
import numpy as np
@P
def f(x): return x
for v in (np.True_, np.float32(1.5), np.int8(3), np.datetime64("2020-01-01"), np.str_("a"), np.array(5)):
    print(type(f(v)).__name__, type(f(v)).__name__)
"""
PIECES["masked"] = """
import numpy as np
@P
def f(n): return np.ma.masked_equal(np.arange(n),2)
print(repr(f(4))); r=f(4); r[0]=9; print(repr(r)); print(repr(f(4)))
"""
PIECES["nested list result"] = """
@P
def f(n): return [[0]*n]*2
a=f(2); a[0][0]=1; print(a); a=f(2); a[0][0]=1; print(a)
"""
PIECES["self ref"] = """
@P
def f(n):
    a=[n]; a.append(a); return a
a=f(1); print(a[1] is a); a=f(1); print(a[1] is a)
"""
PIECES["print end"] = """
import sys
@P
def f(n):
    print("a",end=""); print("b",file=sys.stderr); sys.stdout.write("c\\n"); return n
f(1); f(1)
"""
PIECES["warn"] = """
import warnings
@P
def f(n): warnings.warn("careful"); return n
with warnings.catch_warnings(record=True) as w:
    warnings.simplefilter("always"); f(1); f(1); print(len([x for x in w if "careful" in str(x.message)]))
"""
PIECES["random local"] = """
import random
@P
def f(n):
    r=random.Random(n); return r.random()
print(f(1)==f(1))
"""
PIECES["random passed"] = """
import numpy as np
@P
def f(rng,n): return rng.integers(0,100,n).tolist()
r=np.random.default_rng(0); print(f(r,2), f(r,2), r.integers(100))
r=np.random.default_rng(0); print(f(r,2), f(r,2), r.integers(100))
"""
PIECES["seeded"] = """
import numpy as np, random
@P
def f(n): return np.random.rand(), random.random()
np.random.seed(1); random.seed(1); print(f(1), f(1), np.random.rand(), random.random())
np.random.seed(1); random.seed(1); print(f(1), f(1), np.random.rand(), random.random())
"""
PIECES["seed inside"] = """
import numpy as np
@P
def f(n): np.random.seed(n); return np.random.rand()
print(f(1), np.random.rand()); print(f(1), np.random.rand())
"""
PIECES["global gen"] = """
import numpy as np
rng=np.random.default_rng(3)
@P
def f(n): return rng.normal()*n
print(f(1), f(1), rng.normal())
rng=np.random.default_rng(3); print(f(1), f(1), rng.normal())
"""
PIECES["deque"] = """
from collections import deque, Counter, OrderedDict, defaultdict
@P
def f(d,c,o,x): d.append(1); c["a"]+=1; o.move_to_end("k"); x["z"].append(1); return len(d)
for _ in range(2):
    d,c,o,x=deque([1],maxlen=3),Counter("a"),OrderedDict(k=1,j=2),defaultdict(list)
    print(f(d,c,o,x), d, c, list(o), dict(x))
"""
PIECES["bytes io"] = """
import io
@P
def f(b): b.write(b"xy"); return b.tell()
b=io.BytesIO(); print(f(b), b.getvalue()); b=io.BytesIO(); print(f(b), b.getvalue())
"""
PIECES["sqlite"] = """
import sqlite3, os
if os.path.exists("q.db"): os.remove("q.db")
c=sqlite3.connect("q.db"); c.execute("create table t(a)"); c.commit()
@P
def f(n):
    d=sqlite3.connect("q.db"); r=d.execute("select count(*) from t").fetchone()[0]; d.close(); return r
print(f(1)); c.execute("insert into t values(1)"); c.commit(); print(f(1)); c.close()
"""
PIECES["sqlite conn"] = """
import sqlite3
c=sqlite3.connect(":memory:"); c.execute("create table t(a)")
@P
def f(n): return c.execute("select count(*) from t").fetchone()[0]
print(f(1)); c.execute("insert into t values(1)"); print(f(1))
"""
PIECES["subproc"] = """
import subprocess
open("s.txt","w").write("1")
@P
def f(n): return subprocess.run(["cat","s.txt"],capture_output=True,text=True).stdout
print(f(1)); open("s.txt","w").write("22"); print(f(1))
"""
PIECES["query local"] = """
import pandas as pd
df=pd.DataFrame({"a":[1,2,3]})
CUT=1
@P
def f(d): return len(d.query("a > @CUT"))
print(f(df)); CUT=2; print(f(df))
"""
PIECES["callable obj"] = """
class M:
    def __init__(self,k): self.k=k
    def __call__(self,x): return x*self.k
m=M(2)
@P
def f(x): return m(x)
print(f(3)); m.k=5; print(f(3)); m=M(7); print(f(3))
"""
PIECES["type annotations"] = """
import dataclasses
@dataclasses.dataclass
class D:
    a:int
    b:list=dataclasses.field(default_factory=list)
@P
def f(d): d.b.append(d.a); return dataclasses.replace(d,a=d.a+1)
d=D(1); r=f(d); print(d,r,r.b is d.b); d=D(1); r=f(d); print(d,r,r.b is d.b)
"""
PIECES["string io print"] = """
import io, contextlib
@P
def f(n): print("hello",n); return n
b=io.StringIO()
with contextlib.redirect_stdout(b): f(1)
print(repr(b.getvalue())); b=io.StringIO()
with contextlib.redirect_stdout(b): f(1)
print(repr(b.getvalue()))
"""
PIECES["weird kwargs"] = """
@P
def f(a,/,b=1,*args,c=2,**kw): return (a,b,args,c,kw)
print(f(1), f(1,b=1), f(1,1,3,c=4,d=5), f(1,2,3))
"""
PIECES["np view result"] = """
import numpy as np
base=np.zeros(4)
@P
def f(n): return base[:n]
v=f(2); v[0]=5; print(base); base=np.zeros(4); v=f(2); v[0]=5; print(base)
"""
PIECES["global list result"] = """
reg=[]
@P
def f(n): return reg
r=f(1); r.append(1); print(reg, f(1) is reg)
"""
PIECES["method pipe"] = """
class Q:
    def __init__(self): self.n=0
    @P
    def inc(self,k): self.n+=k; return self.n
q=Q(); print(q.inc(1), q.inc(1), q.n); q=Q(); print(q.inc(1), q.inc(1), q.n)
"""
PIECES["complex alias"] = """
@P
def swap(a,b): a[:],b[:]=b[:],a[:]; return a,b
x,y=[1],[2]; r=swap(x,y); print(x,y,r[0] is x,r[1] is y); x,y=[1],[2]; r=swap(x,y); print(x,y,r[0] is x,r[1] is y)
"""
PIECES["move items"] = """
@P
def mv(a,b): b.append(a.pop()); return len(b)
i={"k":1}; x,y=[i],[]; mv(x,y); print(x,y,y[0] is i); i={"k":1}; x,y=[i],[]; mv(x,y); print(x,y,y[0] is i)
"""
PIECES["keys of an argument"] = """
@P
def f(d): return d.keys(), d.items()
for k in range(2):
    d={"a":1}; r=f(d); d["b"]=2; print(*map(list,r))
"""
PIECES["iterators over an argument"] = """
import itertools
@P
def f(l): return iter(l), zip(l,l), map(str,l), itertools.islice(l,9), (x*2 for x in l)
for k in range(2):
    l=[1]; r=f(l); l.append(2); print(*map(list,r))
"""
PIECES["method of an argument"] = """
@P
def f(l): return l.append
for k in range(2):
    l=[1]; f(l)(5); print(l)
"""
PIECES["memory of an argument"] = """
@P
def f(b): return memoryview(b)
for k in range(2):
    b=bytearray(b"xyz"); m=f(b); b[1]=66; print(bytes(m))
"""
PIECES["weak references"] = """
import weakref
class A: z=1
@P
def f(a): return weakref.ref(a), weakref.proxy(a)
for k in range(2):
    a=A(); r,p=f(a); print(r() is a, p.z)
"""
PIECES["read-only mapping of an argument"] = """
import types
@P
def f(d): return types.MappingProxyType(d)
for k in range(2):
    d={"a":1}; m=f(d); d["b"]=1; print(dict(m))
"""
PIECES["argument in a set"] = """
class A: pass
@P
def f(a): return {a}
for k in range(2):
    a=A(); print(a in f(a))
"""
PIECES["bare object"] = """
NOTHING=object()
@P
def f(d, default=NOTHING): return d.get(1,default)
for k in range(2): print(f({}) is NOTHING, f({1:2}) is NOTHING)
"""
PIECES["generator over a list"] = """
@P
def f(l):
    for x in l: yield x*2
for k in range(2): print(list(f([1,2])), sum(f([1,2])))
"""
PIECES["make_dataclass"] = """
from dataclasses import make_dataclass
@P
def f(p): return p.m()
print(f(make_dataclass("D",["x"],namespace={"m":lambda s: s.x})(2)), f(make_dataclass("D",["x"],namespace={"m":lambda s: -s.x})(2)))
D=make_dataclass("D",["x"])
@P
def g(n): return D(n)
for k in range(2): print(type(g(1)) is D, g(1)==D(1))
"""
PIECES["new_class"] = """
import types
@P
def f(p): return p.m()
for n in (1,2): print(f(types.new_class("C",(),{},lambda names: names.update(m=lambda self: n))()))
"""
PIECES["exec in the name of a package"] = """
@P
def f(h): return h(2)
names={"__name__":"numpy"}
for k in (1,2): exec(f"def h(x): return x*{k}",names); print(f(names["h"]))
"""
PIECES["array order"] = """
import numpy as np
@P
def f(a): return a.flags.c_contiguous, a.strides, a.tobytes("A")==a.tobytes("C"), a.ravel("K").tolist()
a=np.arange(6.).reshape(2,3); b=np.asfortranarray(a)
print(f(a), f(b), f(a.T.copy().T))
"""
PIECES["array read only arg"] = """
import numpy as np
@P
def f(a):
    try: a[0]=1; return "wrote"
    except ValueError: return "ro"
a=np.zeros(3); a.flags.writeable=False; print(f(a)); print(f(np.zeros(3))); b=np.broadcast_to(np.float64(0),(3,)); print(f(b))
"""
PIECES["array readonly result"] = """
import numpy as np
@P
def f(n): return np.broadcast_to(np.float64(n),(3,)), np.arange(3)
for _ in range(2):
    a,b=f(1)
    try: a[0]=3; print("w")
    except ValueError as e: print("ro")
    b[0]=5; print(b, a)
"""
PIECES["structured array"] = """
import numpy as np
@P
def f(a): a["x"]+=1; return a["x"], a[0]
for _ in range(2):
    a=np.zeros(3,dtype=[("x","f4"),("y","i2")]); x,row=f(a); x[0]=9; row["y"]=7; print(a, row)
dt=np.dtype([("x","f4"),("y","i2")],align=True)
@P
def g(a): return a.dtype.itemsize, a.dtype.isalignedstruct
print(g(np.zeros(2,dt)), g(np.zeros(2,[("x","f4"),("y","i2")])))
@P
def h(n): return np.rec.array([(1,2.)],dtype=[("a",int),("b",float)]), np.zeros(1,dt)
for _ in range(2):
    r,z=h(1); print(type(r).__name__, r.a, z.dtype.isalignedstruct, z.dtype)
"""
PIECES["object array"] = """
import numpy as np
@P
def f(a): a[0].append(1); return a[1]
for _ in range(2):
    x=[]; a=np.empty(2,object); a[0]=x; a[1]=[5]; r=f(a); r.append(6); print(x, a, r is a[1])
@P
def g(a,b): return a[0] is b
l=[1]; o=np.empty(1,object); o[0]=l; print(g(o,l), g(o,[1]))
"""
PIECES["pandas object cells"] = """
import pandas as pd
@P
def f(d): d.a[0].append(1); return d.a[1]
for _ in range(2):
    x=[0]; d=pd.DataFrame({"a":[x,[2]]}); r=f(d); r.append(3); print(x, d.a.tolist(), d.a[0] is x)
"""
PIECES["pandas in place kinds"] = """
import pandas as pd, numpy as np
def mk(): return pd.DataFrame({"a":[3,1,2],"b":list("xyz")}, index=list("pqr"))
@P
def f1(d): d.sort_values("a",inplace=True); return len(d)
@P
def f2(d): d.index.name="ix"; return 1
@P
def f3(d): d.columns=["u","v"]; return 1
@P
def f4(d): d.attrs["k"]=1; return 1
@P
def f5(d): d.insert(1,"n",0); d.rename(columns={"a":"A"},inplace=True); return d["n"]
@P
def f6(d): d.reset_index(inplace=True,drop=False); return d
@P
def f7(d): d.drop(d.index,inplace=True); return d.empty
@P
def f8(d): return d.pop("a")
@P
def f9(d): d.at["p","a"]=1.5; return str(d.dtypes["a"])
for f in (f1,f2,f3,f4,f5,f6,f7,f8,f9):
    for _ in range(2):
        d=mk(); e=d; ix=d.index;
        try: r=f(d); print(type(r).__name__, r if not isinstance(r,pd.DataFrame) else r is d, e.to_dict("list"), e.index.name, list(e.index), e.attrs, ix.name)
        except Exception as x: print(type(x).__name__)
"""
PIECES["polars in place"] = """
import polars as pl
@P
def f(d): d.insert_column(0,pl.Series("z",[9,9])); d.extend(pl.DataFrame({"z":[1],"a":[7]})); return d.height
for _ in range(2):
    d=pl.DataFrame({"a":[1,2]}); e=d; print(f(d), e.to_dict(as_series=False))
@P
def g(s): s.append(pl.Series("a",[5])); s.rename("q"); return s.len()
for _ in range(2):
    s=pl.Series("a",[1]); t=s; print(g(s), t.to_list())
@P
def h(d): d[0,"a"]=100; d.columns=["b"]; return d
for _ in range(2):
    d=pl.DataFrame({"a":[1,2]}); e=d; r=h(d); print(r is d, e.to_dict(as_series=False))
"""
PIECES["errstate of a helper that does not name numpy"] = """
import numpy as np
def inv(a): return 1/a
@P
def f(a):
    try: return inv(a).tolist()
    except FloatingPointError as e: return str(e)
a=np.array([1.,0.])
with np.errstate(divide="ignore"): print(f(a), f([a][0]))
with np.errstate(divide="raise"): print(f(a))
@P
def show(a): return f"{a}"
a=np.array([1.23456,2.]); print(show(a), show([a])); np.set_printoptions(precision=2); print(show(a), show([a]))
np.set_printoptions(precision=8)
"""
PIECES["options of the libraries of arguments"] = """
import pandas as pd
from decimal import Decimal as D, localcontext
@P
def text(d): return str(d)
d=pd.DataFrame({"a":[1.123456789,2.]}); print(text(d))
with pd.option_context("display.precision",2): print(text(d))
@P
def third(n): return D(1)/n
@P
def add(xs): return sum(xs)
x=D("1.23456789"); print(third(3), add([x,x]))
with localcontext() as c: c.prec=3; print(third(3), add([x,x]))
"""
PIECES["locale, home, program arguments"] = """
import locale, os, pathlib, sys
@P
def where(): return locale.format_string("%.1f",1.5), locale.setlocale(locale.LC_NUMERIC)
print(where()); locale.setlocale(locale.LC_NUMERIC,"C.UTF-8"); print(where()); locale.setlocale(locale.LC_NUMERIC,"C")
@P
def home(): return os.path.expanduser("~/x"), str(pathlib.Path.home())
keep=os.environ["HOME"]
for h in ("/h1","/h2"): os.environ["HOME"]=h; print(home())
os.environ["HOME"]=keep
@P
def options(): return sys.argv[1:]
keep=sys.argv
for a in "ab": sys.argv=["x",a]; print(options())
sys.argv=keep
"""
PIECES["environment as a whole"] = """
import os
os.environ["LAB_DIR"]="/a"
@P
def f(x): return os.path.expandvars("$LAB_DIR/"+x)
@P
def g(): return {k:v for k,v in os.environ.items() if k.startswith("LAB_")}
@P
def h(): return dict(os.environ).get("LAB_DIR"), {**os.environ}["LAB_DIR"]
@P
def i(path): return os.path.expandvars(path)
print(f("x"), g(), h(), i("${LAB_DIR}/y")); os.environ["LAB_DIR"]="/b"; print(f("x"), g(), h(), i("${LAB_DIR}/y"))
"""
PIECES["process state that a call changes"] = """
import builtins, csv, gc, os, signal, sys
@P
def um(m): return os.umask(m)
um(0o77); os.umask(0o22); um(0o77); print(oct(os.umask(0o22)))
@P
def sig(): signal.signal(signal.SIGUSR1,signal.SIG_IGN); return 1
sig(); signal.signal(signal.SIGUSR1,signal.SIG_DFL); sig(); print(signal.getsignal(signal.SIGUSR1)==signal.SIG_IGN)
signal.signal(signal.SIGUSR1,signal.SIG_DFL)
@P
def garbage(): gc.disable(); return gc.isenabled()
garbage(); gc.enable(); garbage(); print(gc.isenabled()); gc.enable()
@P
def hook(x): sys.displayhook=print; return x
before=sys.displayhook; hook(1); sys.displayhook=before; hook(1); print(sys.displayhook is print); sys.displayhook=before
@P
def put(v): builtins.MY_LIMIT=v; return v
put(1); builtins.MY_LIMIT=5; put(1); print(MY_LIMIT); del builtins.MY_LIMIT
@P
def dialect(d): csv.register_dialect("mine",delimiter=d); return d
dialect(";"); csv.unregister_dialect("mine"); dialect(";"); print("mine" in csv.list_dialects())
csv.unregister_dialect("mine")
"""
PIECES["closures of other people's functions"] = """
import contextlib
@P
def f(stack,name): stack.callback(print,"bye",name); return name
for k in range(2):
    with contextlib.ExitStack() as stack: f(stack,"a"); f(stack,"b")
    with contextlib.ExitStack() as stack: f(stack,"a")
"""
PIECES["abstract classes and whom they adopt"] = """
import abc
class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): ...
@P
def f(x): return isinstance(x,Shape)
print(f(3)); Shape.register(int); print(f(3))
"""
PIECES["what pickle hooks leave out"] = """
class Link:
    def __init__(self,path): self.path=path; self.opened=True
    def __getstate__(self): return {"path":self.path}
    def __setstate__(self,s): self.path=s["path"]; self.opened=False
class Twice:
    def __init__(self,v): self.v=v; self.extra=v*2
    def __reduce__(self): return (Twice,(self.v,))
@P
def mk(p): return Link(p)
@P
def mk2(v): t=Twice(v); t.extra=77; return t
for k in range(2): print(mk("a").opened, mk2(1).extra)
@P
def use(l): return l.opened
l=Link("a"); print(use(l)); l.opened=False; print(use(l))
@P
def extra(t): return t.extra
t=Twice(1); print(extra(t)); t.extra=50; print(extra(t))
"""
PIECES["exceptions as values"] = """
class Bad(Exception): pass
@P
def ret(d): return Bad(d)
@P
def caught(x):
    try: 1/x
    except ZeroDivisionError as e: return e
for k in range(2): d={"a":1}; e=ret(d); print(e.args[0] is d, caught(0).__traceback__ is None)
"""
PIECES["modules that make their attributes, or are found by text"] = """
import importlib, os, sys
sys.path.insert(0,os.getcwd())
def put(name,text): open(name+".py","w").write(text); importlib.invalidate_caches()
put("lazy_m","values={'speed':3}\\ndef __getattr__(n):\\n    try: return values[n]\\n    except KeyError: raise AttributeError(n)")
import lazy_m
@P
def f(x): return x*lazy_m.speed
print(f(2)); lazy_m.values["speed"]=9; print(f(2)); lazy_m.speed=1; print(f(2)); del sys.modules["lazy_m"]
put("plug_x","def run(x): return x+1")
@P
def g(name,x): return importlib.import_module("plug_"+name).run(x)
@P
def h(x): return importlib.import_module("plug_x").run(x)
print(g("x",1), h(1)); put("plug_x","def run(x): return x+1000"); importlib.reload(sys.modules["plug_x"]); print(g("x",1), h(1))
del sys.modules["plug_x"]
if os.path.exists("later_m.py"): os.remove("later_m.py"); importlib.invalidate_caches()
@P
def i(x):
    try: import later_m; return later_m.V
    except ImportError: return "absent"
print(i(1)); put("later_m","V=5"); print(i(1)); del sys.modules["later_m"], sys.path[0]
"""
PIECES["items that are changed and moved"] = """
class Item:
    def __init__(self,k): self.k=k; self.seen=0
@P
def rank(items): items.sort(key=lambda i: i.k); items[0].seen+=1; return items[-1]
@P
def drop(items): x=items.pop(0); x.seen=9; return x
@P
def turn(rows): rows.reverse(); return rows[0]
for k in range(2):
    a,b=Item(3),Item(1); l=[a,b]; top=rank(l); print(top is a, l[0] is b, b.seen)
    l=[a,b]; print(drop(l) is a, a.seen, l[0] is b); r=[{"n":1},{"n":2}]; first=r[0]; print(turn(r) is r[0], r[1] is first)
"""
PIECES["objects in arrays, and arrays that look into one memory"] = """
import numpy as np
@P
def add(o): o[1].append(5); return o
@P
def views(n): a=np.zeros(n); return a, a[1:], {"back":a[::-1]}
@P
def halves(n): a=np.arange(n); return a[:2], a[2:]
@P
def flat(a): b=a.reshape(-1); b[0]=99; return b
for k in range(2):
    inner=[4]; o=np.array([1,inner],dtype=object); r=add(o); print(inner, r is o, r[1] is inner)
    a,b,c=views(3); b[0]=7; print(a, c["back"]); print(halves(4))
    for order in "CF": a=np.zeros((2,2),order=order); b=flat(a); b[1]=5; print(a, b)
"""
PIECES["files asked for"] = """
import os
from pathlib import Path
for p in ("ex1.txt","ex2.txt"):
    if os.path.exists(p): os.remove(p)
@P
def f(n): return os.path.exists("ex%d.txt"%n)
@P
def g(n): return Path("ex%d.txt"%n).is_file()
@P
def h(n):
    try: return open("ex%d.txt"%n).read()
    except FileNotFoundError: return "none"
@P
def k(p): return os.path.exists(p)
@P
def st(n): return os.stat("ex%d.txt"%n).st_size if os.access("ex%d.txt"%n,os.R_OK) else -1
print(f(1),g(1),h(1),k("ex1.txt"),st(1)); open("ex1.txt","w").write("hi"); print(f(1),g(1),h(1),k("ex1.txt"),st(1))
os.remove("ex1.txt"); print(f(1),g(1),h(1),k("ex1.txt"),st(1))
"""
PIECES["files added to"] = """
import zipfile, tarfile, gzip, os, json, shelve, sqlite3, mmap, numpy as np, csv
for p in os.listdir("."):
    if p.startswith("ap_"): os.remove(p)
@P
def a(n):
    with open("ap_%d.log"%n,"a") as h: h.write("l\\n")
    return n
@P
def z(n):
    with zipfile.ZipFile("ap_%d.zip"%n,"a") as h: h.writestr(f"f{len(h.namelist())}","x")
    return n
@P
def g(n):
    with gzip.open("ap_%d.gz"%n,"at") as h: h.write("l\\n")
    return n
@P
def j(n):
    p="ap_%d.json"%n; d=json.load(open(p)) if os.path.exists(p) else []; d.append(n); json.dump(d,open(p,"w")); return len(d)
@P
def sh(n):
    with shelve.open("ap_sh%d"%n) as h: h[str(len(h))]=1; return len(h)
@P
def sq(n):
    c=sqlite3.connect("ap_%d.db"%n); c.execute("create table if not exists t(a)"); c.execute("insert into t values(1)"); c.commit(); r=c.execute("select count(*) from t").fetchone()[0]; c.close(); return r
@P
def mm(n):
    m=np.memmap("ap_%d.bin"%n,dtype="u1",mode="r+",shape=(4,)); m[0]+=1; m.flush(); return int(m[0])
@P
def m2(n):
    with open("ap_%d.bin"%n,"r+b") as h, mmap.mmap(h.fileno(),0) as m: m[1]=m[1]+1; return m[1]
open("ap_1.bin","wb").write(bytes(4))
for _ in range(3): print(a(1),z(1),g(1),j(1),sh(1),sq(1),mm(1),m2(1))
print(open("ap_1.log").read(), zipfile.ZipFile("ap_1.zip").namelist(), gzip.open("ap_1.gz","rt").read(), json.load(open("ap_1.json")), open("ap_1.bin","rb").read())
"""
PIECES["files moved, removed, linked"] = """
import os, shutil
from pathlib import Path
def fresh():
    shutil.rmtree("fs",ignore_errors=True); os.makedirs("fs/a"); open("fs/x.txt","w").write("x")
@P
def rm(p): os.remove(p); return 1
@P
def mk(p): os.makedirs(p); return 1
@P
def mv(a,b): os.rename(a,b); return b
@P
def cp(a,b): return shutil.copy(a,b)
@P
def ln(a,b): os.symlink(a,b); return 1
@P
def hl(a,b): os.link(a,b); return 1
@P
def ch(p): os.chmod(p,0o600); return oct(os.stat(p).st_mode)
@P
def touch(p): Path(p).touch(); return 1
@P
def tr(p): os.truncate(p,0); return 1
@P
def rt(p): shutil.rmtree(p); return 1
@P
def ut(p): os.utime(p,(1,1)); return 1
def tree(): return sorted((str(p), p.is_dir(), p.is_symlink(), oct(p.lstat().st_mode), p.read_text() if p.is_file() else "") for p in Path("fs").rglob("*"))
for call in (lambda: rm("fs/x.txt"), lambda: mk("fs/n/m"), lambda: mv("fs/x.txt","fs/y.txt"), lambda: cp("fs/x.txt","fs/z.txt"), lambda: ln("x.txt","fs/l"), lambda: hl("fs/x.txt","fs/h"), lambda: ch("fs/x.txt"), lambda: touch("fs/new"), lambda: tr("fs/x.txt"), lambda: rt("fs/a"), lambda: ut("fs/x.txt")):
    for _ in range(2): fresh(); r=call(); print(r, tree(), os.path.exists("fs/x.txt") and os.stat("fs/x.txt").st_mtime==1)
"""
PIECES["temporary files"] = """
import tempfile, os
@P
def f(n):
    d=tempfile.mkdtemp(); p=os.path.join(d,"x.txt"); open(p,"w").write("hi"); return p
for _ in range(2):
    p=f(1); print(open(p).read()); os.remove(p); os.rmdir(os.path.dirname(p))
@P
def g(n):
    with tempfile.NamedTemporaryFile("w",delete=False,suffix=".t") as h: h.write("a"*n); return h.name
for _ in range(2):
    p=g(2); print(open(p).read()); os.remove(p)
@P
def h(n): return tempfile.TemporaryDirectory()
for _ in range(2):
    d=h(1); print(os.path.isdir(d.name)); d.cleanup()
"""
PIECES["folders made sure of"] = """
import os, shutil
from pathlib import Path
@P
def a(n):
    out=f"made_a{n}"
    if not os.path.exists(out): os.makedirs(out)
    Path(out,"x.txt").write_text("x"); return n
@P
def b(n): os.makedirs(f"made_b{n}/c",exist_ok=True); return n
@P
def c(n):
    if os.path.isdir(f"made_c{n}"): return "there"
    os.mkdir(f"made_c{n}"); return "made"
@P
def d(n): Path(f"made_d{n}").mkdir(exist_ok=True); return n
@P
def e(n): os.mkdir(f"made_e{n}"); return n
@P
def g(n):
    if os.path.exists(f"made_g{n}.txt"): os.remove(f"made_g{n}.txt")
    return n
for p in Path(".").glob("made_*"): shutil.rmtree(p)
for _ in range(2):
    for _ in range(2):
        Path("made_g1.txt").touch(); g(1); print(a(1),b(1),c(1),d(1),sorted(map(str,Path(".").glob("made_*/*"))),Path("made_g1.txt").exists())
        try: e(1)
        except FileExistsError: print("there")
    for p in Path(".").glob("made_*"): shutil.rmtree(p)
"""
PIECES["figures of files"] = """
import os
@P
def size(n): return os.path.getsize(f"fig_{n}.txt")
@P
def time(n): return os.path.getmtime(f"fig_{n}.txt")
@P
def both(n): found=os.stat(f"fig_{n}.txt"); return found.st_size, found.st_mtime
@P
def link(n): return os.path.islink(f"fig_{n}.txt"), os.path.realpath(f"fig_{n}.txt").endswith("o.txt")
for k in (1,2): open("fig_1.txt","w").write("x"*k); os.utime("fig_1.txt",(k,k)); print(size(1),time(1),both(1),link(1))
os.remove("fig_1.txt"); open("fig_o.txt","w"); os.symlink("fig_o.txt","fig_1.txt"); print(link(1)); os.remove("fig_1.txt")
"""
PIECES["threads read files"] = """
from concurrent.futures import ThreadPoolExecutor
import threading
def rd(p): return open(p).read()
@P
def f(n):
    with ThreadPoolExecutor(2) as t: return list(t.map(rd,["t%d.txt"%i for i in range(n)]))
for v in "ab":
    for i in range(2): open("t%d.txt"%i,"w").write(v)
    print(f(2))
@P
def g(n):
    out=[]
    t=threading.Thread(target=lambda: out.append(rd("t%d.txt"%n))); t.start(); t.join(); return out
for v in "cd": open("t1.txt","w").write(v); print(g(1))
import os
@P
def w(n):
    def wr(): open("tw%d.txt"%n,"w").write("x")
    t=threading.Thread(target=wr); t.start(); t.join(); return n
for _ in range(2):
    if os.path.exists("tw1.txt"): os.remove("tw1.txt")
    w(1); print(os.path.exists("tw1.txt"))
"""
PIECES["processes read files"] = """
import multiprocessing as mp, os
def rd(p): return open(p).read()
@P
def f(n):
    with mp.get_context("fork").Pool(1) as p: return p.map(rd,["m%d.txt"%n])
for v in "ab": open("m1.txt","w").write(v); print(f(1))
@P
def g(n):
    pid=os.fork()
    if not pid:
        open("fk%d.txt"%n,"w").write("x"); os._exit(0)
    os.waitpid(pid,0); return n
for _ in range(2):
    if os.path.exists("fk1.txt"): os.remove("fk1.txt")
    g(1); print(os.path.exists("fk1.txt"))
"""
PIECES["parquet read by made name"] = """
import pandas as pd, pyarrow.parquet as pq, pyarrow as pa, os
@P
def f(n): return pq.read_table("pq_"+str(n)+".parquet").column("a").to_pylist()
@P
def g(n): return pd.read_parquet("pq_"+str(n)+".parquet").a.tolist()
for v in (1,2):
    pq.write_table(pa.table({"a":[v]}),"pq_7.parquet"); print(f(7), g(7))
@P
def h(n): pq.write_table(pa.table({"a":[n]}),"w_"+str(n)+".parquet"); return n
for _ in range(2):
    if os.path.exists("w_4.parquet"): os.remove("w_4.parquet")
    h(4); print(os.path.exists("w_4.parquet"))
@P
def k(n): pd.DataFrame({"a":[n]}).to_parquet("x_"+str(n)+".parquet"); return n
for _ in range(2):
    if os.path.exists("x_4.parquet"): os.remove("x_4.parquet")
    k(4); print(os.path.exists("x_4.parquet"))
"""
PIECES["HDF5"] = """
import h5py, numpy as np, os
@P
def rd(n):
    with h5py.File("h"+str(n)+".h5","r") as h: return h["a"][...].tolist()
for v in (1,2):
    with h5py.File("h1.h5","w") as h: h["a"]=[v,v]
    print(rd(1))
@P
def wr(n):
    with h5py.File("hw"+str(n)+".h5","w") as h: h["a"]=np.arange(n)
    return n
for _ in range(2):
    if os.path.exists("hw3.h5"): os.remove("hw3.h5")
    wr(3); print(os.path.exists("hw3.h5"))
@P
def ap(n):
    with h5py.File("ha"+str(n)+".h5","a") as h: h.attrs["c"]=h.attrs.get("c",0)+1
    return n
if os.path.exists("ha1.h5"): os.remove("ha1.h5")
for _ in range(3): ap(1)
print(int(h5py.File("ha1.h5").attrs["c"]))
@P
def inp(h): return h["a"][...].sum()
with h5py.File("h1.h5","r") as h: print(inp(h))
with h5py.File("h1.h5","w") as h: h["a"]=[5]
with h5py.File("h1.h5","r") as h: print(inp(h))
"""
PIECES["polars files"] = """
import polars as pl, os
@P
def f(n): return pl.read_csv("pl_"+str(n)+".csv")["a"].to_list()
@P
def g(n): return pl.scan_csv("pl_"+str(n)+".csv").select(pl.col("a").sum()).collect().item()
for v in (1,2):
    open("pl_3.csv","w").write(f"a\\n{v}\\n"); print(f(3), g(3))
@P
def lazy(n): return pl.scan_csv("pl_"+str(n)+".csv")
for v in (3,4):
    open("pl_3.csv","w").write(f"a\\n{v}\\n"); print(lazy(3).collect()["a"].to_list())
l=pl.scan_csv("pl_3.csv")
@P
def col(l): return l.collect()["a"].to_list()
print(col(l)); open("pl_3.csv","w").write("a\\n77\\n"); print(col(l))
@P
def w(n): pl.DataFrame({"a":[n]}).write_csv("plw_"+str(n)+".csv"); return n
@P
def w2(n): pl.DataFrame({"a":[n]}).write_parquet("plw_"+str(n)+".parquet"); return n
for _ in range(2):
    for e in ("csv","parquet"):
        if os.path.exists("plw_5."+e): os.remove("plw_5."+e)
    w(5); w2(5); print(os.path.exists("plw_5.csv"), os.path.exists("plw_5.parquet"))
"""
PIECES["parquet dataset folder"] = """
import pandas as pd, pyarrow.dataset as ds, pyarrow.parquet as pq, pyarrow as pa, os, shutil
@P
def f(n): return ds.dataset("dir"+str(n)).count_rows()
shutil.rmtree("dir1",ignore_errors=True); os.makedirs("dir1")
for v in (1,2,3):
    pq.write_table(pa.table({"a":[v]}),f"dir1/p{v}.parquet"); print(f(1))
@P
def g(n): pd.DataFrame({"k":["a","b"],"v":[1,n]}).to_parquet("part"+str(n),partition_cols=["k"]); return n
for _ in range(2):
    shutil.rmtree("part3",ignore_errors=True); g(3); print(sorted(os.listdir("part3")))
"""
PIECES["pool of before"] = """
from concurrent.futures import ThreadPoolExecutor
pool=ThreadPoolExecutor(1); pool.submit(len,"").result()
def rd(p): return open(p).read()
@P
def f(n): return pool.submit(rd,f"pool_{n}.txt").result()
for v in "ab": open("pool_1.txt","w").write(v); print(f(1))
pool.shutdown()
"""
PIECES["names in SQL"] = """
import duckdb
@P
def f(n): return duckdb.sql(f"select sum(a) from 'sql_{n}.csv'").fetchall()
for v in (1,2): open("sql_1.csv","w").write(f"a\\n{v}\\n"); print(f(1))
"""
PIECES["libraries imported by a call"] = """
@P
def f(n):
    import lxml.etree
    return lxml.etree.parse(f"late_{n}.xml").getroot().tag
for v in "ab": open("late_1.xml","w").write(f"<{v}/>"); print(f(1))
"""


def main(mode: str, folder: str) -> None:
    """Run all pieces in a folder."""
    os.makedirs(folder, exist_ok=True)
    os.chdir(folder)
    make = (lambda function: function) if mode == "plain" else _pipes()
    print(json.dumps({name: _printed(name, code, make) for name, code in PIECES.items()}))


def _pipes():
    import rms_jupyter as rms

    warnings.simplefilter("ignore", rms.RmsWarning)
    return rms.open("pieces.rms").pipe


def _printed(name, code, make):
    namespace, filename, here = globals(), f"<{name}>", os.getcwd()
    linecache.cache[filename] = (len(code), None, code.splitlines(True), filename)
    namespace["P"], text = make, io.StringIO()
    try:
        with contextlib.redirect_stdout(text):
            exec(compile(code, filename, "exec"), namespace)
    except Exception as error:
        text.write(f"{type(error).__name__}: {error}")
    os.chdir(here)
    return text.getvalue()


if __name__ == "__main__":
    main(*sys.argv[1:])
