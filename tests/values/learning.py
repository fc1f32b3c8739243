"""What learns: scikit-learn."""

import numpy as np
from sklearn import (
    cluster,
    compose,
    datasets,
    decomposition,
    dummy,
    ensemble,
    feature_extraction,
    feature_selection,
    gaussian_process,
    impute,
    isotonic,
    kernel_ridge,
    linear_model,
    manifold,
    metrics,
    mixture,
    model_selection,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    svm,
    tree,
)

X = np.random.default_rng(0).normal(size=(30, 3))
y = (X[:, 0] > 0).astype(int)
WORDS = ["a quick brown fox", "the lazy dog", "a quick dog"]


def length(text):
    return len(text)


def fit(model):
    return model.fit(X, y)


def words(model):
    return model.fit(WORDS)


VALUES = """
linear_model.LinearRegression()
linear_model.LinearRegression(fit_intercept=False)
fit(linear_model.LinearRegression())
fit(linear_model.LogisticRegression())
fit(linear_model.Ridge(alpha=2))
fit(linear_model.SGDClassifier(random_state=0))
fit(svm.SVC())
fit(svm.SVR())
fit(tree.DecisionTreeClassifier(random_state=0))
fit(tree.DecisionTreeClassifier(random_state=0, max_depth=1))
fit(ensemble.RandomForestClassifier(5, random_state=0))
fit(ensemble.GradientBoostingClassifier(n_estimators=5, random_state=0))
fit(ensemble.HistGradientBoostingClassifier(max_iter=5, random_state=0))
fit(ensemble.IsolationForest(n_estimators=5, random_state=0))
fit(neighbors.KNeighborsClassifier())
fit(neighbors.KNeighborsClassifier(algorithm="kd_tree"))
fit(neighbors.KNeighborsClassifier(algorithm="ball_tree"))
fit(neighbors.KNeighborsClassifier(algorithm="brute"))
fit(neighbors.NearestNeighbors())
neighbors.KDTree(X)
neighbors.BallTree(X)
fit(neighbors.KernelDensity())
fit(naive_bayes.GaussianNB())
fit(kernel_ridge.KernelRidge())
fit(neural_network.MLPClassifier(4, max_iter=300, random_state=0, tol=1))
fit(cluster.KMeans(2, random_state=0))
fit(cluster.DBSCAN())
fit(cluster.AgglomerativeClustering())
fit(mixture.GaussianMixture(2, random_state=0))
fit(decomposition.PCA(2))
fit(decomposition.NMF(2, random_state=0, max_iter=1000)) if (X > 0).all() else fit(decomposition.FastICA(2, random_state=0))
fit(manifold.Isomap())
fit(preprocessing.StandardScaler())
fit(preprocessing.MinMaxScaler())
fit(preprocessing.OneHotEncoder())
fit(preprocessing.PolynomialFeatures())
fit(preprocessing.FunctionTransformer(np.log1p))
preprocessing.LabelEncoder().fit(["a", "b"])
preprocessing.FunctionTransformer(length)
fit(impute.SimpleImputer())
fit(impute.KNNImputer())
fit(feature_selection.SelectKBest(k=2))
fit(isotonic.IsotonicRegression()) if X.shape[1] == 1 else isotonic.IsotonicRegression()
fit(dummy.DummyClassifier())
words(feature_extraction.text.CountVectorizer())
words(feature_extraction.text.CountVectorizer(stop_words="english"))
words(feature_extraction.text.CountVectorizer(stop_words=["a", "the"]))
words(feature_extraction.text.TfidfVectorizer())
feature_extraction.text.HashingVectorizer()
feature_extraction.DictVectorizer().fit([{"a": 1, "b": "x"}])
fit(pipeline.make_pipeline(preprocessing.StandardScaler(), svm.SVC()))
compose.make_column_transformer((preprocessing.StandardScaler(), [0]))
model_selection.KFold(3)
model_selection.KFold(3, shuffle=True, random_state=0)
model_selection.StratifiedKFold()
model_selection.KFold(3, shuffle=True, random_state=np.random.RandomState(0))
metrics.make_scorer(metrics.f1_score)
gaussian_process.kernels.RBF(2.0)
gaussian_process.kernels.RBF(1.0) + gaussian_process.kernels.WhiteKernel()
datasets.load_iris()
datasets.load_iris(as_frame=True)
"""

NOT_COPIED = """
fit(gaussian_process.GaussianProcessRegressor())
linear_model.SGDClassifier(random_state=np.random.mtrand._rand)
"""
