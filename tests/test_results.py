"""What was measured is kept part by part."""

from benchmarks.results import sections, write
from benchmarks.timing import Row


def test_a_part_measured_again_replaces_its_rows_and_leaves_the_others(tmp_path):
    path = tmp_path / "RESULTS.md"
    write({"core": [Row("a pass", "1.10 (5 ms)", "at most 1.05")]}, path)
    write({"page": [Row("a click", "80 ms", "at most 100 ms")]}, path)
    write({"core": [Row("a pass", "1.04 (5 ms)", "at most 1.05")]}, path)
    found = sections(path.read_text())
    assert list(found) == ["core", "page"]
    assert "| a pass | 1.04 (5 ms) | at most 1.05 |" in found["core"]
    assert "1.10" not in path.read_text()
    assert "| a click | 80 ms | at most 100 ms |" in found["page"]
