"""The combinations of a matrix are those of GitHub's documentation."""

from __future__ import annotations

from typing import Any

from support.rows import rows
from wheelkit.project.ci.expressions import UNKNOWN
from wheelkit.project.ci.matrices import combinations

# "Expanding or adding matrix configurations" in GitHub's documentation, with the combinations that it lists.
DOCUMENTED = {
    "fruit": ["apple", "pear"],
    "animal": ["cat", "dog"],
    "include": [
        {"color": "green"},
        {"color": "pink", "animal": "cat"},
        {"fruit": "apple", "shape": "circle"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ],
}


def test_the_documented_example_has_its_documented_combinations() -> None:
    assert combinations(DOCUMENTED) == [
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]


@rows(
    ("matrix", "rows_"),
    [
        (None, [{}]),
        ({"os": ["a", "b"]}, [{"os": "a"}, {"os": "b"}]),
        ({"include": [{"os": "a"}, {"os": "b", "x": 1}]}, [{"os": "a"}, {"os": "b", "x": 1}]),
        (
            {"os": ["a", "b"], "v": [1, 2], "exclude": [{"os": "a", "v": 2}, {"os": "b"}]},
            [{"os": "a", "v": 1}],
        ),
        ({"os": []}, []),
        ({"os": UNKNOWN}, None),
        (UNKNOWN, None),
        ({"os": "a"}, None),
        ({"os": ["a"], "include": UNKNOWN}, None),
        ({"os": ["a"], "exclude": ["a"]}, None),
        ({str(n): list(range(100)) for n in range(5)}, None),
    ],
)
def test_a_matrix_has_these_rows(matrix: Any, rows_: list[dict[str, Any]] | None) -> None:
    assert combinations(matrix) == rows_
