"""Science and statistics: scipy, statsmodels, lmfit."""

import lmfit
import numpy as np
import pandas as pd
import scipy.cluster.hierarchy
import scipy.fft
import scipy.integrate
import scipy.interpolate
import scipy.optimize
import scipy.signal
import scipy.sparse
import scipy.spatial
import scipy.stats
import statsmodels.api as sm
import statsmodels.formula.api as smf

X = np.linspace(0, 1, 8)
Y = X**2
POINTS = np.random.default_rng(0).normal(size=(12, 2))
FRAME = pd.DataFrame({"x": X, "y": Y + np.sin(9 * X)})


def line(x, a, b):
    return a * x + b


def params(value=1.0):
    made = lmfit.Parameters()
    made.add("a", value, min=0)
    made.add("b", expr="2 * a")
    return made


def sorted_matrix():
    made = scipy.sparse.csr_array(np.eye(4))
    made.has_sorted_indices
    return made


VALUES = """
scipy.sparse.csr_array(np.eye(3))
scipy.sparse.csr_matrix(np.eye(3))
scipy.sparse.csc_array(np.eye(3))
scipy.sparse.coo_array(np.eye(3))
scipy.sparse.lil_array(np.eye(3))
scipy.sparse.dok_array(np.eye(3))
scipy.sparse.dia_array(np.eye(3))
scipy.sparse.bsr_array(np.eye(3))
sorted_matrix()
scipy.stats.gaussian_kde(X)
scipy.stats.gaussian_kde(Y)
scipy.stats.ttest_ind(X, Y)
scipy.stats.linregress(X, Y)
scipy.stats.pearsonr(X, Y)
scipy.stats.describe(X)
scipy.stats.qmc.Sobol(2, rng=1)
scipy.interpolate.interp1d(X, Y)
scipy.interpolate.interp1d(X, Y, kind="cubic")
scipy.interpolate.CubicSpline(X, Y)
scipy.interpolate.UnivariateSpline(X, Y)
scipy.interpolate.make_interp_spline(X, Y)
scipy.interpolate.PchipInterpolator(X, Y)
scipy.interpolate.RegularGridInterpolator((X,), Y)
scipy.interpolate.RBFInterpolator(POINTS, POINTS[:, 0])
scipy.interpolate.LinearNDInterpolator(POINTS, POINTS[:, 0])
scipy.spatial.KDTree(POINTS)
scipy.spatial.cKDTree(POINTS)
scipy.spatial.KDTree(POINTS[:5])
scipy.spatial.ConvexHull(POINTS)
scipy.spatial.ConvexHull(POINTS[:9])
scipy.spatial.Delaunay(POINTS)
scipy.spatial.transform.Rotation.from_euler("z", 90, degrees=True)
scipy.optimize.OptimizeResult(x=1, success=True)
scipy.optimize.minimize_scalar(np.square)
scipy.optimize.minimize(line, 1.0, args=(0, 1))
scipy.optimize.LinearConstraint(np.eye(2), 0, 1)
scipy.optimize.NonlinearConstraint(np.sum, 0, 1)
scipy.optimize.Bounds([0], [1])
scipy.integrate.solve_ivp(lambda t, y: -y, (0, 1), [1.0], dense_output=True)
scipy.signal.lti([1], [1, 2])
scipy.signal.TransferFunction([1], [1, 3])
scipy.signal.ShortTimeFFT(np.ones(4), 2, 1.0)
scipy.cluster.hierarchy.to_tree(scipy.cluster.hierarchy.linkage(POINTS))
scipy.sparse.linalg.aslinearoperator(np.eye(3))
sm.OLS(Y, sm.add_constant(X))
sm.OLS(Y, sm.add_constant(X)).fit()
sm.OLS(Y + 1, sm.add_constant(X)).fit()
sm.GLM(Y, sm.add_constant(X)).fit()
smf.ols("y ~ x", FRAME)
smf.ols("y ~ x", FRAME).fit()
smf.ols("y ~ x + I(x**2)", FRAME).fit()
sm.families.Poisson()
sm.tsa.AutoReg(Y, 1).fit()
sm.nonparametric.KDEUnivariate(X)
lmfit.Parameter("a", 1.0)
params()
params(2.0)
lmfit.Model(line)
lmfit.Model(line, prefix="p_")
lmfit.models.GaussianModel()
lmfit.models.GaussianModel() + lmfit.models.ConstantModel()
lmfit.Model(line).fit(Y, x=X, a=1, b=0).params
"""

NOT_COPIED = """
scipy.stats.norm
scipy.stats.norm()
scipy.stats.norm(1, 2)
scipy.stats.norm(2, 2)
scipy.stats.gamma(2)
scipy.stats.poisson(3)
scipy.stats.binom(5, 0.5)
scipy.stats.multivariate_normal([0, 0], np.eye(2))
scipy.stats.multivariate_normal([0, 1], np.eye(2))
scipy.stats.dirichlet([1, 2])
scipy.stats.norm(1, 2).rvs
scipy.stats.rv_histogram(np.histogram(X, 3))
"""

NOT_KEPT = """
scipy.stats.Normal(mu=1, sigma=2)
"""

NO_DIGEST = """
lmfit.Model(line).fit(Y, x=X, a=1, b=0)
"""
