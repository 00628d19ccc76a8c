"""Functions that assert, outside of test files: pytest writes the assertions of those anew."""


def asserted(x):
    assert x.shape[0] == 3
    return x * 2


def asserted_value(x):
    assert (x > 0).all(), "must be positive"
    return x * 2


def asserted_one_of_two(x):
    assert x.shape[0] == 3 or x.shape[0] == 1
    return x * 2


def asserted_with_words(x):
    assert x.shape[0] > 1, f"too few rows: {x.shape[0]}"
    return x * 2
