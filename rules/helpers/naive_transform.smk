# Settings of the transform.


def threads_for_objects(most):
    """Threads that earn their place: matrices of a few hundred objects are done before a second thread has started."""
    return most if study.count_objects() >= 1000 else 1


def naive_settings():
    """The options of the transform that its variant has."""
    settings = config["naive_transform"]
    own = {"naive": ["norm"], "global": [], "glocal": ["alpha", "temperature"]}[settings["variant"]]
    return {key: settings[key] for key in ["variant", "tolerance", *own]}
