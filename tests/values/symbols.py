"""Symbols, graphs and shapes: sympy, networkx, shapely."""

import networkx as nx
import numpy as np
import shapely
import shapely.geometry as geo
import shapely.prepared
import sympy as sp

x, y = sp.symbols("x y")


def graph(*edges, **attributes):
    made = nx.Graph(**attributes)
    made.add_edges_from(edges)
    return made


def weighted(weight):
    made = graph(("a", "b"))
    made.edges["a", "b"]["weight"] = weight
    return made


VALUES = """
x
sp.Symbol("x", positive=True)
sp.Symbol("x", integer=True)
x + y
x * y + sp.sin(x)
sp.Integer(3)
sp.Rational(1, 3)
sp.Float("0.1", 30)
sp.pi
sp.oo
sp.Eq(x, 1)
sp.Matrix([[1, x], [y, 2]])
sp.ImmutableMatrix([[1, x], [y, 2]])
sp.Function("f")(x)
sp.Function("f")
sp.Lambda(x, x**2)
sp.Poly(x**2 + 1, x)
sp.Piecewise((x, x > 0), (0, True))
sp.Integral(x, (x, 0, 1))
sp.FiniteSet(1, 2, x)
sp.Interval(0, 1)
sp.solve(x**2 - 2, x)
sp.solve([x + y - 1, x - y], [x, y])
sp.IndexedBase("A")[sp.Idx("i")]
sp.MatrixSymbol("M", 2, 2)
sp.sin
sp.Order(x**2)
graph(("a", "b"), ("b", "c"))
graph(("b", "c"), ("a", "b"))
graph(("a", "b"), ("b", "c"), name="g")
weighted(1)
weighted(2)
nx.path_graph(4)
nx.DiGraph([(1, 2)])
nx.MultiGraph([(1, 2), (1, 2)])
nx.MultiDiGraph([(1, 2), (1, 2)])
nx.karate_club_graph()
nx.path_graph(4).subgraph([0, 1])
nx.path_graph(4).nodes
nx.path_graph(4).edges
nx.path_graph(4).degree
nx.DiGraph([(1, 2)]).reverse(copy=False)
geo.Point(1, 2)
geo.Point(2, 1)
geo.Point(1, 2, 3)
geo.Point()
geo.LineString([(0, 0), (1, 1)])
geo.Polygon([(0, 0), (1, 0), (1, 1)])
geo.Polygon([(0, 0), (4, 0), (4, 4)], [[(1, 1), (2, 1), (2, 2)]])
geo.MultiPoint([(0, 0), (1, 1)])
geo.GeometryCollection([geo.Point(1, 2)])
shapely.set_srid(geo.Point(1, 2), 4326)
shapely.points([[1, 2], [3, 4]])
np.array([geo.Point(1, 2), None])
shapely.STRtree([geo.Point(1, 2)])
"""
